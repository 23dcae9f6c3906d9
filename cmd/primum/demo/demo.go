package demo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"primum/bot"
	"primum/bot/clock"
	"primum/bot/intake"
	"primum/bot/pages"
	"primum/bot/store"
	"primum/forges"
	"primum/forges/sim"
)

// Options of a demonstration.
type Options struct {
	// Forge is the kind of forge, one of Forges; "github" if empty.
	Forge string
	// Listen is the address of the browser page, without a port; "127.0.0.1" if
	// empty. The simulated forge's API stays on the loopback in any case.
	Listen string
	// Port is 0 for a free one.
	Port int
	// Open is called with the page's address once it answers; nil opens nothing.
	Open func(url string) error
	// Out gets the one line that says where the page is.
	Out io.Writer
	// Log gets what goes wrong.
	Log *slog.Logger
	// Engine is the version of this build.
	Engine string
}

// pause is how long a change is left alone after something happened on it:
// short, since here somebody is watching.
const pause = 150 * time.Millisecond

// look is how often Primum looks for what a forge does not tell; ten minutes is
// usual.
const look = 2 * time.Second

// Demo is a demonstration at work. Close it after use.
type Demo struct {
	URL string // of the browser page

	world   *world
	site    *site
	face    stage
	store   store.Store
	dir     string
	servers []*http.Server
	stop    context.CancelFunc
	running sync.WaitGroup
	log     *slog.Logger
	failed  chan error
}

// Run shows a demonstration until ctx ends.
func Run(ctx context.Context, o Options) error {
	d, err := Start(ctx, o)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:contextcheck // closing comes after the context ended
	if _, err := fmt.Fprintf(o.Out, "The demonstration is at %s\nNothing leaves this machine. Ctrl-C stops it.\n", d.URL); err != nil {
		return fmt.Errorf("say where the page is: %w", err)
	}
	if o.Open != nil {
		if err := o.Open(d.URL); err != nil {
			o.Log.ErrorContext(ctx, "no browser could be opened: open the address yourself", slog.String("error", err.Error()))
		}
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.failed:
		return err
	}
}

// Start starts everything and returns when the page answers.
func Start(ctx context.Context, o Options) (d *Demo, err error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d = &Demo{log: o.Log, failed: make(chan error, 4)}
	defer func() { //nolint:contextcheck // closing comes after the context ended
		if err != nil {
			d.Close()
		}
	}()
	var listen net.ListenConfig
	page, err := listen.Listen(ctx, "tcp", net.JoinHostPort(o.Listen, strconv.Itoa(o.Port)))
	if err != nil {
		return d, fmt.Errorf("listen for the page: %w", err)
	}
	api, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		_ = page.Close()
		return d, fmt.Errorf("listen for the simulated forge: %w", err)
	}
	d.URL = "http://" + reachable(page.Addr().String()) + "/"
	service, settle, err := d.make(o, "http://"+api.Addr().String()) //nolint:contextcheck // the face sends webhooks until it is closed
	if err != nil {
		_, _ = page.Close(), api.Close()
		return d, err
	}
	d.site = newSite(d.world, service.Handler(), o.Log)
	// What runs outlives the call that starts it and ends with Close.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.stop = stop
	d.serve(api, d.face)
	d.serve(page, d.site)
	if settle != nil {
		if err := settle(ctx); err != nil {
			return d, fmt.Errorf("set the project up: %w", err)
		}
	}
	d.face.SetHook(d.URL + "primum/hooks/" + d.world.scene.Kind)
	d.running.Go(func() {
		if err := service.Run(work); err != nil {
			d.failed <- fmt.Errorf("run Primum: %w", err)
		}
	})
	if err := service.Sweep(ctx); err != nil {
		return d, fmt.Errorf("find the open changes: %w", err)
	}
	if d.world.scene.Silent {
		d.running.Go(func() { d.looks(work, service) })
	}
	return d, nil
}

// looks has the forge read again and again, for what it does not tell.
func (d *Demo) looks(ctx context.Context, service *bot.Service) {
	again := time.NewTicker(look)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
		if err := service.Sweep(ctx); err != nil && ctx.Err() == nil {
			d.log.ErrorContext(ctx, "the forge was not looked at", slog.String("error", err.Error()))
		}
	}
}

// reachable is an address people can open: one that listens everywhere is
// reached on the loopback.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// make builds the forge, its face, the adapter, the store and the service.
// settle is to be called once the face answers; nil for nothing to do.
func (d *Demo) make(o Options, api string) (service *bot.Service, settle func(context.Context) error, err error) {
	sc, err := sceneOf(o.Forge)
	if err != nil {
		return nil, nil, err
	}
	d.world, err = newWorld(time.Now(), sc, func(f *sim.Forge) (*player, error) {
		return sc.cast(f, api, d.URL[:len(d.URL)-1], o.Log)
	})
	if err != nil {
		return nil, nil, err
	}
	primum := d.world.cast
	d.face = primum.face
	adapter, err := primum.adapter(d.world)
	if err != nil {
		return nil, nil, fmt.Errorf("make the adapter: %w", err)
	}
	if d.dir, err = os.MkdirTemp("", "primum-demo-"); err != nil {
		return nil, nil, fmt.Errorf("make a folder for the store: %w", err)
	}
	kept, err := store.Open(context.Background(), filepath.Join(d.dir, "primum.db"), clock.System{}, o.Log)
	if err != nil {
		return nil, nil, fmt.Errorf("open the store: %w", err)
	}
	d.store = kept
	service, err = bot.New(bot.Options{
		Store: d.store, Forges: []forges.Forge{adapter}, Clock: clock.System{}, Log: o.Log, Engine: o.Engine,
		PublicURL: d.URL + "primum", Access: pages.Access{Everyone: true}, Intake: intake.Options{Settle: pause},
	})
	return service, primum.settle, err
}

// random is a text of twice as many characters.
func random(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails, see crypto/rand
	return hex.EncodeToString(raw)
}

func (d *Demo) serve(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelWarn)}
	d.servers = append(d.servers, server)
	d.running.Go(func() {
		if err := server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			d.failed <- fmt.Errorf("serve: %w", err)
		}
	})
}

// Close stops everything and leaves nothing behind.
func (d *Demo) Close() {
	if d.site != nil {
		d.site.hub.close()
	}
	if d.face != nil {
		d.face.Close()
	}
	if d.stop != nil {
		d.stop()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	for _, s := range d.servers {
		if err := s.Shutdown(ctx); err != nil {
			_ = s.Close()
		}
	}
	d.running.Wait()
	if d.store != nil {
		if err := d.store.Close(); err != nil {
			d.log.Warn("store not closed", slog.String("error", err.Error()))
		}
	}
	if d.dir != "" {
		_ = os.RemoveAll(d.dir)
	}
}
