package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// appPage is the page on this machine through which a GitHub App is made: a
// form that posts the manifest to GitHub, and the address that GitHub sends the
// browser back to with a code. The page's own address is secret, and the code
// is taken once, with the state that the form was given.
type appPage struct {
	address string // to be opened
	host    string
	state   string
	server  *http.Server
	once    sync.Once
	code    chan string
}

//nolint:gochecknoglobals // constant
var appForm = template.Must(template.New("form").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Primum: make the GitHub App</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1rem}pre{overflow:auto;background:#f4f4f4;padding:1rem}</style>
<h1>Make the GitHub App</h1>
<p>The button takes you to GitHub with the manifest below. GitHub shows the app and asks whether to make it; then it sends you back here.</p>
<form action="{{.Action}}" method="post"><input type="hidden" name="manifest" value="{{.Manifest}}"><button>Go on to GitHub</button></form>
<h2>Manifest</h2><pre>{{.Manifest}}</pre></html>
`))

// newAppPage listens on this machine. manifest makes the manifest for the
// address GitHub is to send the browser back to, and action the address the
// form posts it to.
func newAppPage(ctx context.Context, listen string, manifest func(redirect string) (string, error), action func(state string) string) (*appPage, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w; take another --listen", listen, err)
	}
	p := &appPage{host: l.Addr().String(), state: rand.Text(), code: make(chan string, 1)}
	secret := "/" + strings.ToLower(rand.Text())
	p.address = "http://" + p.host + secret
	text, err := manifest("http://" + p.host + "/callback")
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+secret, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		_ = appForm.Execute(w, map[string]string{"Action": action(p.state), "Manifest": text}) // whoever reads
	})
	mux.HandleFunc("GET /callback", p.callback)
	p.server = &http.Server{Handler: p.ownHost(mux), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second}
	go func() { _ = p.server.Serve(l) }() // ends with wait
	return p, nil
}

// ownHost refuses calls under another name: a page elsewhere could have its own
// name lead here.
func (p *appPage) ownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, port, _ := net.SplitHostPort(p.host)
		if r.Host != p.host && r.Host != "localhost:"+port && r.Host != "127.0.0.1:"+port {
			http.Error(w, "not here", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// callback takes the code, once, from who has the state.
func (p *appPage) callback(w http.ResponseWriter, r *http.Request) {
	state, code := r.URL.Query().Get("state"), r.URL.Query().Get("code")
	if subtle.ConstantTimeCompare([]byte(state), []byte(p.state)) != 1 || code == "" {
		http.Error(w, "This does not come from the form that was opened here; open the address that primum printed.", http.StatusBadRequest)
		return
	}
	taken := false
	p.once.Do(func() { taken = true })
	if !taken {
		http.Error(w, "The app was made already; go on in the terminal.", http.StatusGone)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintln(w, "The app is made. Go on in the terminal: it tells where to install it.") // whoever reads
	p.code <- code
}

// wait waits for the code and ends the page.
func (p *appPage) wait(ctx context.Context) (string, error) {
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = p.server.Shutdown(stop) // the answer to the browser goes out first
	}()
	select {
	case code := <-p.code:
		return code, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
