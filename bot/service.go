package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"primum/bot/clock"
	"primum/bot/intake"
	"primum/bot/judge"
	"primum/bot/pages"
	"primum/bot/publish"
	"primum/bot/store"
	"primum/bot/sweep"
	"primum/bot/watch"
	"primum/bot/work"
	"primum/forges"
	"primum/rules"
	"primum/rules/policy"
)

// Options are what a Service is made of. Store, Forges, Clock and Log are
// required; the rest has a default.
type Options struct {
	Store  store.Store
	Forges []forges.Forge
	Clock  clock.Clock
	Log    *slog.Logger
	// Engine is the version of this build, stamped on every verdict.
	Engine string
	// PublicURL is where people reach the service; "" leaves links out of checks.
	PublicURL string
	// Access says who sees pages of private repositories.
	Access pages.Access
	// Meter counts; a new one if nil.
	Meter *Meter
	// Owner names this process among replicas; a random one if "".
	Owner string
	// Sweep is how often forges are read for what webhooks did not bring.
	Sweep time.Duration
	// Watch is how often the check is looked at on forges that tell nobody when
	// somebody else sets it; zero for never.
	Watch time.Duration
	// KeepBodies is how long bodies of deliveries are kept; zero for ever.
	KeepBodies time.Duration
	// StopTimeout is how long judgements under way may take to end when the
	// service stops; 20 s if zero.
	StopTimeout time.Duration
	// Work bounds the workers, Intake the deliveries; zero fields have defaults.
	Work   work.Options
	Intake intake.Options
}

// Service is the whole bot. It is made once, served and run once.
type Service struct {
	o       Options
	meter   *Meter
	judge   *judge.Judge
	pool    *work.Pool
	sweeper *sweep.Sweeper
	watcher *watch.Watcher
	mux     *http.ServeMux
	running atomic.Bool
}

// New wires a service and starts nothing.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Clock == nil || o.Log == nil || len(o.Forges) == 0 {
		return nil, errors.New("a service needs a store, a forge, a clock and a log")
	}
	schema, err := policy.Schema(rules.Specs())
	if err != nil {
		return nil, fmt.Errorf("make the policy schema: %w", err)
	}
	if o.StopTimeout <= 0 {
		o.StopTimeout = 20 * time.Second
	}
	s := &Service{o: o, meter: o.Meter}
	if s.meter == nil {
		s.meter = NewMeter()
	}
	s.meter.watch(o.Store)
	byKey := map[string]forges.Forge{}
	for _, f := range o.Forges {
		if _, twice := byKey[f.Key()]; twice {
			return nil, fmt.Errorf("two forges are called %q", f.Key())
		}
		byKey[f.Key()] = f
	}
	web := pages.New(pages.Options{
		Store: o.Store, Forges: byKey, PublicURL: o.PublicURL, Access: o.Access, Clock: o.Clock, Log: o.Log, Engine: o.Engine,
	})
	s.judge = judge.New(judge.Options{
		Sweep: o.Sweep,
		Store: o.Store, Forges: o.Forges, Clock: o.Clock, Log: o.Log, Engine: o.Engine, Observe: s.meter.judged,
		Relevant: o.Intake.Relevant,
		Publish: publish.New(publish.Options{
			Store: o.Store, Clock: o.Clock, Log: o.Log, URL: address(o.PublicURL, web), Observe: s.meter.act,
		}),
	})
	s.sweeper = sweep.New(sweep.Options{Store: o.Store, Forges: o.Forges, Clock: o.Clock, Log: o.Log, Interval: o.Sweep})
	s.watcher = watch.New(watch.Options{
		Store: o.Store, Forges: o.Forges, Clock: o.Clock, Log: o.Log, Interval: o.Watch, Owner: o.Owner,
		Relevant: o.Intake.Relevant, Observe: s.meter.watched,
	})
	s.pool = work.New(s.workers())
	s.mux = s.routes(s.hooks(byKey), web, schema)
	return s, nil
}

// address is how verdicts link to their pages; nil if nobody can reach them.
func address(public string, web *pages.Pages) func(context.Context, store.Key, forges.RepoRef) (string, error) {
	if public == "" {
		return nil
	}
	return func(ctx context.Context, k store.Key, r forges.RepoRef) (string, error) {
		return web.ChangeURL(ctx, k, r.Owner, r.Name, r.Private)
	}
}

func (s *Service) workers() work.Options {
	o := s.o.Work
	o.Store, o.Judge, o.Clock, o.Log, o.Owner = s.o.Store, s.judge.Subject, s.o.Clock, s.o.Log, s.o.Owner
	return o
}

func (s *Service) hooks(byKey map[string]forges.Forge) http.Handler {
	o := s.o.Intake
	o.Store, o.Forges, o.Clock, o.Log, o.Meter = s.o.Store, byKey, s.o.Clock, s.o.Log, s.meter
	return intake.New(o)
}

// routes are the paths of the service. What is not one of ours is a page.
func (s *Service) routes(hooks, web http.Handler, schema []byte) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/hooks/{forge}", hooks)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "alive\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.meter.handler())
	mux.HandleFunc("GET /schema/policy-v1.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/schema+json")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		w.Header().Set("Access-Control-Allow-Origin", "*") // editors in browsers read it
		_, _ = w.Write(schema)
	})
	mux.Handle("/", web)
	return mux
}

// ready says whether deliveries can be stored and are being judged.
func (s *Service) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	switch err := s.o.Store.Ready(ctx); {
	case err != nil:
		s.o.Log.ErrorContext(ctx, "the store cannot be written to", slog.String("error", err.Error()))
		plain(w, http.StatusServiceUnavailable, "the store cannot be written to\n")
	case !s.running.Load():
		plain(w, http.StatusServiceUnavailable, "not working: starting or stopping\n")
	default:
		plain(w, http.StatusOK, "ready\n")
	}
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// Handler serves everything: webhooks, health, metrics, the schema, pages.
func (s *Service) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		s.mux.ServeHTTP(w, r)
	})
}

// Run judges, sweeps and watches until ctx ends, and returns when what was running is
// finished or handed back. The store stays open: it is the caller's.
func (s *Service) Run(ctx context.Context) error {
	if err := s.pool.Start(ctx); err != nil {
		return fmt.Errorf("run workers: %w", err)
	}
	s.running.Store(true)
	var wait sync.WaitGroup
	wait.Go(func() { s.trim(ctx) })
	wait.Go(func() { s.watcher.Run(ctx) })
	s.sweeper.Run(ctx)
	wait.Wait()
	s.running.Store(false)
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.StopTimeout)
	defer cancel()
	if err := s.pool.Stop(stopCtx); err != nil {
		return fmt.Errorf("stop workers: %w", err)
	}
	return nil
}

// trimEvery is how often old bodies are removed.
const trimEvery = 6 * time.Hour

// trim removes bodies of old deliveries until ctx ends.
func (s *Service) trim(ctx context.Context) {
	if s.o.KeepBodies <= 0 {
		return
	}
	for {
		switch n, err := s.o.Store.Trim(ctx, s.o.KeepBodies); {
		case err != nil && ctx.Err() == nil:
			s.o.Log.ErrorContext(ctx, "old deliveries were not trimmed", slog.String("error", err.Error()))
		case n > 0:
			s.o.Log.InfoContext(ctx, "trimmed old deliveries", slog.Int64("deliveries", n))
		}
		t := s.o.Clock.NewTimer(trimEvery)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

// Sweep marks every forge to be read now.
func (s *Service) Sweep(ctx context.Context) error {
	for _, f := range s.o.Forges {
		if err := s.sweeper.Mark(ctx, f.Key(), "sweep"); err != nil {
			return err
		}
	}
	return nil
}

// Bounds of the web server. A forge gives up on a delivery after ten seconds.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	headerMax     = 64 << 10
	closeTimeout  = 15 * time.Second
)

// Serve serves on a listener and runs until ctx ends: first no delivery is
// taken any more, then what is running finishes.
func (s *Service) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: headerMax, ErrorLog: slog.NewLogLogger(s.o.Log.Handler(), slog.LevelWarn),
	}
	workCtx, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	worked := make(chan error, 1)
	go func() { worked <- s.Run(workCtx) }()
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()

	var err error
	select {
	case <-ctx.Done():
	case err = <-served:
		err = fmt.Errorf("serve: %w", err)
	case err = <-worked:
		worked <- nil
	}
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if stopErr := server.Shutdown(stopCtx); stopErr != nil && err == nil {
		err = fmt.Errorf("stop serving: %w", stopErr)
	}
	stopWork()
	return errors.Join(err, <-worked)
}
