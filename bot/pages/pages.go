package pages

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"primum/bot/clock"
	"primum/bot/store"
	"primum/forges"
)

// Options are what the pages need.
type Options struct {
	Store store.Store
	// Forges by their key; asked for nothing but permissions of people logged in.
	Forges map[string]forges.Forge
	// PublicURL is the address people reach the service at, with any path prefix
	// that a proxy takes off: "https://primum.example" or "https://x.example/primum".
	PublicURL string
	Access    Access
	Clock     clock.Clock
	Log       *slog.Logger
	// Engine is the version shown at the foot of every page.
	Engine string
}

// Access says who sees pages of private repositories. The zero Access lets in
// whoever follows a check's details link and nobody else.
type Access struct {
	// Key is the shared access key, PRIMUM_PAGES_KEY; "" for no such login.
	Key string
	// Secret signs capability keys and sessions, at least 32 bytes. Empty: one is
	// made at first use and kept in the store, the same for every replica.
	Secret []byte
	// GitHub logs people in with their account; nil for no such login.
	GitHub *OAuth
	// Everyone shows everything to everyone: the demonstration.
	Everyone bool
}

// Pages serves the pages. It is safe for concurrent use.
type Pages struct {
	o      Options
	base   string // path prefix of links, "" or "/primum"
	secure bool   // cookies over HTTPS only
	views  map[string]*template.Template
	static map[string]asset
	mux    *http.ServeMux
	may    permissions
	tries  *rate.Limiter

	mu     sync.Mutex
	secret []byte
}

type asset struct {
	kind string
	body []byte
	tag  string
}

//go:embed templates/*.html
var templates embed.FS

//go:embed assets/style.css assets/live.js
var assets embed.FS

// New makes the pages; the result is an http.Handler for everything below "/".
func New(o Options) *Pages {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	p := &Pages{o: o, static: map[string]asset{}, views: map[string]*template.Template{}, may: newPermissions(), tries: newTries()}
	if u, err := url.Parse(o.PublicURL); err == nil {
		p.base = strings.TrimSuffix(u.Path, "/")
		p.secure = u.Scheme == "https"
	}
	p.load("style.css", "text/css; charset=utf-8")
	p.load("live.js", "text/javascript; charset=utf-8")
	for _, name := range []string{"start", "change", "login", "stranger", "trouble"} {
		p.views[name] = template.Must(template.New("layout.html").Funcs(p.funcs()).
			ParseFS(templates, "templates/layout.html", "templates/parts.html", "templates/"+name+".html"))
	}
	p.mux = p.routes()
	return p
}

func (p *Pages) load(name, kind string) {
	body, err := assets.ReadFile("assets/" + name)
	if err != nil { // embedded: it is there or this build is broken
		panic("pages: " + err.Error())
	}
	sum := sha256.Sum256(body)
	p.static[name] = asset{kind: kind, body: body, tag: hex.EncodeToString(sum[:6])}
}

func (p *Pages) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.start)
	mux.HandleFunc("GET /changes.json", p.startJSON)
	mux.HandleFunc("GET /changes.csv", p.startCSV)
	mux.HandleFunc("GET /c/{forge}/{rest...}", p.change) // OWNER/NAME/NUMBER[/v/ID], see cutAddress
	mux.HandleFunc("GET /v/{id}", p.permalink)
	mux.HandleFunc("GET /login", p.loginForm)
	mux.HandleFunc("POST /login", p.login)
	mux.HandleFunc("POST /logout", p.logout)
	mux.HandleFunc("GET /login/github", p.toGitHub)
	mux.HandleFunc("GET /login/github/done", p.fromGitHub)
	mux.HandleFunc("GET /assets/{name}", p.asset)
	mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("User-agent: *\nDisallow: /\n"))
	})
	mux.HandleFunc("/", p.stranger)
	return mux
}

// policyHeader is what a browser may load: our own style, script and pictures.
const policyHeader = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policyHeader)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Vary", "Cookie")
	h.Set("X-Robots-Tag", "noindex")
	protection := http.NewCrossOriginProtection()
	if err := protection.Check(r); err != nil {
		http.Error(w, "This form was sent from another site and is not obeyed.", http.StatusForbidden)
		return
	}
	p.mux.ServeHTTP(w, r)
}

func (p *Pages) asset(w http.ResponseWriter, r *http.Request) {
	a, ok := p.static[r.PathValue("name")]
	if !ok {
		p.stranger(w, r)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	if r.URL.Query().Get("h") == a.tag {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(a.body)
}

// page is what every page is rendered from.
type page struct {
	Title   string
	Name    string // of the template
	Viewer  viewer
	Ways    ways // to log in
	AsOf    time.Time
	Engine  string
	Version string // what the script compares, "" for no live refresh
	Path    string // of this page, for the login's way back
	Content any
}

// render writes a whole page or, if that cannot be made, nothing but the error.
func (p *Pages) render(w http.ResponseWriter, r *http.Request, status int, pg page) {
	pg.AsOf, pg.Engine = p.o.Clock.Now(), p.o.Engine
	pg.Path, pg.Ways = wayBack(r), p.ways()
	var out bytes.Buffer
	if err := p.views[pg.Name].Execute(&out, pg); err != nil {
		p.o.Log.ErrorContext(r.Context(), "page not rendered", slog.String("page", pg.Name), slog.String("error", err.Error()))
		http.Error(w, "This page could not be made; the log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}

// stranger answers for what is not there and for what is not for this viewer:
// the same, with the cure.
func (p *Pages) stranger(w http.ResponseWriter, r *http.Request) {
	v, _ := p.viewer(r)
	p.render(w, r, http.StatusNotFound, page{Title: "Nothing here for you", Name: "stranger", Viewer: v})
}

// trouble answers when the store cannot be read.
func (p *Pages) trouble(w http.ResponseWriter, r *http.Request, doing string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	p.o.Log.ErrorContext(r.Context(), "page not read", slog.String("doing", doing), slog.String("error", err.Error()))
	p.render(w, r, http.StatusInternalServerError, page{Title: "Not readable at the moment", Name: "trouble", Content: doing})
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func decode(s string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	return string(raw), err
}

// version is a short digest of what a page shows, compared by the script.
func version(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// live answers the script's question; it reports whether this was one.
func live(w http.ResponseWriter, r *http.Request, version string) bool {
	if !r.URL.Query().Has("live") {
		return false
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(version))
	return true
}
