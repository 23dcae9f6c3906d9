package demo

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"primum/forges/sim"
)

//go:embed web/*.html web/style.css web/demo.js
var web embed.FS

// site is the forge as people see it in a browser. It knows nothing of Primum
// but what stands on the forge: a check or a status, and a comment.
type site struct {
	w     *world
	hub   *hub
	pages map[string]*template.Template
	mux   *http.ServeMux
	log   *slog.Logger
	tags  map[string]string // of static files
}

const whoCookie = "demo_who"

func newSite(w *world, primum http.Handler, log *slog.Logger) *site {
	s := &site{w: w, hub: newHub(), pages: map[string]*template.Template{}, mux: http.NewServeMux(), log: log, tags: map[string]string{}}
	for _, name := range []string{"style.css", "demo.js"} {
		body, err := web.ReadFile("web/" + name)
		if err != nil {
			panic("demo: " + err.Error()) // embedded: it is there or this build is broken
		}
		sum := sha256.Sum256(body)
		s.tags[name] = hex.EncodeToString(sum[:6])
	}
	for _, name := range []string{"home", "change", "issues", "issue", "edit", "nothing"} {
		s.pages[name] = template.Must(template.New("layout.html").Funcs(s.funcs()).ParseFS(web, "web/layout.html", "web/"+name+".html"))
	}
	w.forge.Subscribe(func(*sim.View, sim.Happening) { s.hub.tell() })
	s.mux.HandleFunc("GET /{$}", s.home)
	s.mux.HandleFunc("GET /"+repo+"/"+w.scene.changes+"/{number}", s.change)
	s.mux.HandleFunc("GET "+w.scene.IssueList(), s.issues)
	s.mux.HandleFunc("GET "+w.scene.IssueList()+"/{number}", s.issue)
	s.mux.HandleFunc("GET /"+repo+"/edit/{branch}", s.edit)
	s.mux.HandleFunc("GET /events", s.hub.serve)
	s.mux.HandleFunc("GET /static/{name}", s.static)
	s.mux.HandleFunc("POST /as", s.as)
	s.mux.HandleFunc("POST /act", s.act)
	s.mux.Handle("/primum/", http.StripPrefix("/primum", primum))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.render(w, r, http.StatusNotFound, "nothing", "Nothing here", nil)
	})
	return s
}

// ServeHTTP implements http.Handler.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		http.Error(w, "This form was sent from another site and is not obeyed.", http.StatusForbidden)
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/primum/") { // Primum's pages bring their own
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
	}
	s.mux.ServeHTTP(w, r)
}

func (s *site) static(w http.ResponseWriter, r *http.Request) {
	kinds := map[string]string{"style.css": "text/css; charset=utf-8", "demo.js": "text/javascript; charset=utf-8"}
	name := r.PathValue("name")
	body, err := web.ReadFile("web/" + name)
	if err != nil || kinds[name] == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kinds[name])
	_, _ = w.Write(body) //nolint:gosec // embedded files of ours
}

// page is what every page is rendered from.
type page struct {
	Title   string
	Me      member
	Members []member
	Said    string // what became of the last act, where it was refused
	Done    string // where it was not
	Path    string
	Content any
}

func (s *site) render(w http.ResponseWriter, r *http.Request, status int, name, title string, content any) {
	q := r.URL.Query()
	p := page{Title: title, Me: s.me(r), Members: members(), Said: clip(q.Get("said"), 400), Done: clip(q.Get("done"), 200), Path: r.URL.Path, Content: content}
	var out bytes.Buffer
	if err := s.pages[name].Execute(&out, p); err != nil {
		s.log.ErrorContext(r.Context(), "page not rendered", slog.String("page", name), slog.String("error", err.Error()))
		http.Error(w, "This page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}

// me is the person this browser acts as.
func (s *site) me(r *http.Request) member {
	if c, err := r.Cookie(whoCookie); err == nil {
		for _, m := range members() {
			if m.Login == c.Value {
				return m
			}
		}
	}
	return members()[0]
}

func (s *site) as(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: whoCookie, Value: r.PostFormValue("who"), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}) //nolint:gosec // plain HTTP on the loopback
	http.Redirect(w, r, local(r.PostFormValue("back")), http.StatusSeeOther)                                                                   //nolint:gosec // local keeps to paths of ours
}

// local keeps a way back inside this site.
func local(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(path, "//") || strings.Contains(path, "\\") {
		return "/"
	}
	return u.Path
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// say is what people read of an error of the forge.
func say(err error) string {
	if refused, ok := errors.AsType[*sim.Refusal](err); ok {
		var reasons []string
		for _, why := range refused.Reasons {
			reasons = append(reasons, hinder(why))
		}
		return strings.Join(reasons, "; ")
	}
	return err.Error()
}

func (s *site) funcs() template.FuncMap {
	return template.FuncMap{
		"static": func(name string) string { return "/static/" + name + "?h=" + s.tags[name] },
		"ago":    func(t time.Time) string { return ago(s.w.now().Sub(t)) },
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"short":  func(sha string) string { return sha[:min(8, len(sha))] },
		"repo":   func() string { return repo },
		"scene":  func() scene { return s.w.scene },
		"mark":   mark,
		"word":   word,
		"diff":   diffLines,
		"does":   does,
		"spans":  func(s string) []string { return strings.Split(s, "`") },
		"odd":    func(i int) bool { return i%2 == 1 },
	}
}

func ago(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return "just now"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " seconds ago"
	case d < time.Hour:
		return count(int(d.Minutes()), "minute") + " ago"
	case d < 48*time.Hour:
		return count(int(d.Hours()), "hour") + " ago"
	default:
		return count(int(d.Hours()/24), "day") + " ago"
	}
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return strconv.Itoa(n) + " " + unit + "s"
}

func does(login string) string {
	for _, m := range members() {
		if m.Login == login {
			return m.Does
		}
	}
	return ""
}

// line is one line of a diff with its kind for the style.
type line struct{ Kind, Text string }

func diffLines(patch string) []line {
	var out []line
	for l := range strings.SplitSeq(strings.TrimSuffix(patch, "\n"), "\n") {
		kind := "same"
		switch {
		case strings.HasPrefix(l, "@@"):
			kind = "at"
		case strings.HasPrefix(l, "+"):
			kind = "add"
		case strings.HasPrefix(l, "-"):
			kind = "del"
		}
		out = append(out, line{kind, l})
	}
	return out
}
