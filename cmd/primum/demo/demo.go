package demo

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
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
	"primum/forges/github"
	"primum/forges/sim/githubface"
)

// Options of a demonstration.
type Options struct {
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

// settle is how long a change is left alone after something happened on it:
// short, since here somebody is watching.
const settle = 150 * time.Millisecond

// Demo is a demonstration at work. Close it after use.
type Demo struct {
	URL string // of the browser page

	world   *world
	site    *site
	face    *githubface.Face
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
	service, err := d.make(o, "http://"+api.Addr().String()) //nolint:contextcheck // the face sends webhooks until it is closed
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
	d.face.SetHook(d.URL + "primum/hooks/github")
	d.running.Go(func() {
		if err := service.Run(work); err != nil {
			d.failed <- fmt.Errorf("run Primum: %w", err)
		}
	})
	if err := service.Sweep(ctx); err != nil {
		return d, fmt.Errorf("find the open changes: %w", err)
	}
	return d, nil
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
func (d *Demo) make(o Options, api string) (*bot.Service, error) {
	var err error
	if d.world, err = newWorld(time.Now()); err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make the app's key: %w", err)
	}
	secret := random()
	d.face = githubface.New(d.world.forge, githubface.Options{
		App: app, PublicKey: &key.PublicKey, Secret: secret, AuthNow: time.Now, Log: o.Log,
		APIURL: api, WebURL: d.URL[:len(d.URL)-1],
	})
	adapter, err := github.New(github.Config{
		AppID: d.world.app.ID, PrivateKey: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
		Secrets: []string{secret}, BaseURL: api, Now: time.Now, Log: o.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("make the adapter: %w", err)
	}
	if d.dir, err = os.MkdirTemp("", "primum-demo-"); err != nil {
		return nil, fmt.Errorf("make a folder for the store: %w", err)
	}
	kept, err := store.Open(context.Background(), filepath.Join(d.dir, "primum.db"), clock.System{}, o.Log)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	d.store = kept
	return bot.New(bot.Options{
		Store: d.store, Forges: []forges.Forge{adapter}, Clock: clock.System{}, Log: o.Log, Engine: o.Engine,
		PublicURL: d.URL + "primum", Access: pages.Access{Everyone: true}, Intake: intake.Options{Settle: settle},
	})
}

func random() string {
	raw := make([]byte, 24)
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
