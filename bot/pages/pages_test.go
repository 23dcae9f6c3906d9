package pages

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/bot/report/reporttest"
	"primum/bot/store"
	"primum/forges"
	"primum/rules"
)

var update = flag.Bool("update", false, "write the golden files anew")

const accessKey = "correct horse battery staple"

var secret = []byte("0123456789abcdef0123456789abcdef")

// visitor is a browser that keeps cookies.
type visitor struct {
	t      *testing.T
	client *http.Client
	server *httptest.Server
}

// reply is an answer whose body was read.
type reply struct {
	StatusCode int
	Header     http.Header
	URL        *url.URL
	Cookies    []*http.Cookie
}

func serve(t *testing.T, o Options) (*Pages, *httptest.Server) {
	t.Helper()
	if o.Clock == nil {
		o.Clock = still{}
	}
	server := httptest.NewUnstartedServer(nil)
	o.PublicURL = "http://" + server.Listener.Addr().String()
	p := New(o)
	server.Config.Handler = p
	server.Start()
	t.Cleanup(server.Close)
	return p, server
}

func visit(t *testing.T, server *httptest.Server) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, client: &http.Client{Jar: jar}, server: server}
}

func (v *visitor) get(path string) (reply, string) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.server.URL+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(req)
}

func (v *visitor) post(path string, form url.Values, header ...string) (reply, string) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return v.do(req)
}

func (v *visitor) do(req *http.Request) (reply, string) {
	v.t.Helper()
	res, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return reply{StatusCode: res.StatusCode, Header: res.Header, URL: res.Request.URL, Cookies: res.Cookies()}, string(body)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	got = regexp.MustCompile(`\?h=[0-9a-f]{12}`).ReplaceAllString(got, "?h=…")
	got = regexp.MustCompile(`(primum-version" content=")[^"]*`).ReplaceAllString(got, "$1…")
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, string(want)); diff != "" {
		t.Errorf("%s differs (-got +want); -update if it is meant:\n%s", name, diff)
	}
}

func TestPagesReadAsAgreed(t *testing.T) {
	t.Parallel()
	p := New(Options{Store: pump(t), Clock: still{}, Access: Access{Everyone: true}, Engine: "test"})
	for name, path := range map[string]string{
		"start": "/", "start-filtered": "/?state=fail&class=C&age=30d", "start-empty": "/?q=no+such+title",
		"ready": "/c/github/acme/infusion-pump/10", "actions": "/c/github/acme/secret-pump/40", "earlier": "/c/github/acme/secret-pump/40/v/15",
		"gave-up": "/c/github/acme/infusion-pump/13", "policy-error": "/c/github/acme/infusion-pump/14",
		"preview": "/c/github/acme/infusion-pump/20", "mixed": "/c/github/acme/infusion-pump/22", "unjudged": "/c/github/acme/infusion-pump/30",
		"stranger": "/c/github/acme/nothing/1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			p.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
			golden(t, name+".html", w.Body.String())
		})
	}
}

// Who gets what of a private repository.
func TestPrivatePagesAreForThoseWhoMayReadThem(t *testing.T) {
	t.Parallel()
	m := pump(t)
	g := &gate{readers: map[string]forges.Permission{"mara": forges.PermRead}}
	p, server := serve(t, Options{Store: m, Forges: map[string]forges.Forge{"github": g}, Access: Access{Key: accessKey, Secret: secret}})
	key := func(repo, ref string) string {
		k, err := p.Capability(t.Context(), store.Key{Forge: "github", RepoID: repo, Kind: store.KindChange, Ref: ref})
		if err != nil {
			t.Fatal(err)
		}
		return "?k=" + k
	}
	const private = "/c/github/acme/secret-pump/40"
	for _, c := range []struct {
		name, path string
		status     int
	}{
		{"stranger at a private page", private, 404},
		{"stranger at its JSON", private + ".json", 404},
		{"stranger at an earlier verdict", private + "/v/15", 404},
		{"stranger at the permalink", "/v/15", 404},
		{"stranger asking for news", private + "?live=1", 404},
		{"stranger at nothing", "/c/github/acme/nothing/40", 404},
		{"stranger at a public page", "/c/github/acme/infusion-pump/10", 200},
		{"key of the change", private + key("78", "40"), 200},
		{"key of the change at its JSON", private + ".json" + key("78", "40"), 200},
		{"key of the change at the permalink", "/v/15" + key("78", "40"), 200},
		{"key of the change at an earlier verdict", private + "/v/15" + key("78", "40"), 200},
		{"key of another change", private + key("78", "41"), 404},
		{"key of the same number elsewhere", private + key("77", "40"), 404},
		{"key of another change at the permalink", "/v/15" + key("78", "41"), 404},
		{"no key at all", private + "?k=", 404},
		{"wrong key", private + "?k=AAAAAAAAAAAAAAAAAAAAAAAAAAA", 404},
		{"a verdict of another change below a public one", "/c/github/acme/infusion-pump/10/v/15", 404},
		{"a number that is none", "/c/github/acme/secret-pump/x", 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res, body := visit(t, server).get(c.path)
			if res.StatusCode != c.status {
				t.Errorf("status %d, want %d", res.StatusCode, c.status)
			}
			if res.URL.Query().Has("k") && c.status == 200 {
				t.Errorf("the key stays in the address: %s", res.URL)
			}
			if c.status == 404 && strings.Contains(body, "Clamp the bolus") {
				t.Errorf("a stranger reads:\n%s", body)
			}
		})
	}
}

// What is private and what is not there look the same.
func TestStrangersCannotTellPrivateFromMissing(t *testing.T) {
	t.Parallel()
	_, server := serve(t, Options{Store: pump(t), Access: Access{Secret: secret}})
	_, private := visit(t, server).get("/c/github/acme/secret-pump/40")
	_, missing := visit(t, server).get("/c/github/acme/no-pump/40")
	if strings.ReplaceAll(private, "secret-pump", "no-pump") != missing {
		t.Errorf("they differ:\n%s", cmp.Diff(private, missing))
	}
}

func TestAKeyMovesIntoACookieOfItsPath(t *testing.T) {
	t.Parallel()
	p, server := serve(t, Options{Store: pump(t), Access: Access{Secret: secret}})
	link, err := p.ChangeURL(t.Context(), store.Key{Forge: "github", RepoID: "78", Kind: store.KindChange, Ref: "40"}, "acme", "secret-pump", true)
	if err != nil {
		t.Fatal(err)
	}
	v := visit(t, server)
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, _ := v.get(strings.TrimPrefix(link, server.URL))
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/c/github/acme/secret-pump/40" {
		t.Fatalf("%d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	cookies := res.Cookies
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/c/github/acme/secret-pump" {
		t.Errorf("cookie %v", cookies)
	}
	for path, want := range map[string]int{
		"/c/github/acme/secret-pump/40": 200, "/c/github/acme/secret-pump/40.json": 200, "/c/github/acme/secret-pump/40/v/15": 200,
		"/c/github/acme/secret-pump/41": 404, "/c/github/acme/secret-pump/41.json": 404,
	} {
		if res, _ := v.get(path); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
		}
	}
	if link, err = p.ChangeURL(t.Context(), store.Key{Forge: "github", RepoID: "77", Kind: store.KindChange, Ref: "10"}, "acme", "infusion-pump", false); err != nil || strings.Contains(link, "k=") {
		t.Errorf("a public page's link: %s, %v", link, err)
	}
}

func TestTheStartPageShowsStrangersPublicRepositoriesOnly(t *testing.T) {
	t.Parallel()
	_, server := serve(t, Options{Store: pump(t), Access: Access{Key: accessKey, Secret: secret}})
	for _, path := range []string{"/", "/changes.json", "/changes.csv", "/?repo=acme/secret-pump", "/changes.json?repo=acme/secret-pump"} {
		if _, body := visit(t, server).get(path); strings.Contains(strings.ReplaceAll(body, "repo=acme", ""), "acme/secret-pump") {
			t.Errorf("%s tells a stranger of a private repository", path)
		}
	}
	v := visit(t, server)
	res, _ := v.post("/login", url.Values{"key": {accessKey}, "next": {"/"}}, "Sec-Fetch-Site", "same-origin")
	if res.StatusCode != 200 || res.URL.Path != "/" {
		t.Fatalf("login: %d at %s", res.StatusCode, res.URL)
	}
	if _, body := v.get("/"); !strings.Contains(body, "acme/secret-pump") {
		t.Error("the holder of the access key does not see the private repository")
	}
	if res, _ := v.get("/c/github/acme/secret-pump/40"); res.StatusCode != 200 {
		t.Errorf("the holder of the access key gets %d", res.StatusCode)
	}
	v.post("/logout", nil, "Sec-Fetch-Site", "same-origin")
	if res, _ := v.get("/c/github/acme/secret-pump/40"); res.StatusCode != 404 {
		t.Errorf("after logging out: %d", res.StatusCode)
	}
}

func TestLoginRefuses(t *testing.T) {
	t.Parallel()
	_, server := serve(t, Options{Store: pump(t), Access: Access{Key: accessKey, Secret: secret}})
	for _, c := range []struct {
		name, key, site string
		status          int
	}{
		{"a wrong key", "guess", "same-origin", 403},
		{"no key", "", "same-origin", 403},
		{"a form of another site", accessKey, "cross-site", 403},
	} {
		v := visit(t, server)
		res, _ := v.post("/login", url.Values{"key": {c.key}}, "Sec-Fetch-Site", c.site)
		if res.StatusCode != c.status {
			t.Errorf("%s: %d", c.name, res.StatusCode)
		}
		if res, _ := v.get("/c/github/acme/secret-pump/40"); res.StatusCode != 404 {
			t.Errorf("%s lets in", c.name)
		}
	}
	// Guessing is slowed down.
	v := visit(t, server)
	last := 0
	for range 20 {
		res, _ := v.post("/login", url.Values{"key": {"guess"}}, "Sec-Fetch-Site", "same-origin")
		last = res.StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the twentieth guess in a moment: %d", last)
	}
	_, closed := serve(t, Options{Store: pump(t), Access: Access{Secret: secret}})
	if res, _ := visit(t, closed).post("/login", url.Values{"key": {""}}, "Sec-Fetch-Site", "same-origin"); res.StatusCode != 404 {
		t.Errorf("login without an access key set up: %d", res.StatusCode)
	}
}

func TestLoginGoesNowhereElse(t *testing.T) {
	t.Parallel()
	p := New(Options{})
	for in, want := range map[string]string{
		"/c/github/a/b/1": "/c/github/a/b/1", "//evil.example": "/", "https://evil.example": "/", "/\\evil.example": "/", "": "/", "/login": "/",
		"/x\r\nSet-Cookie: a=b": "/",
	} {
		if got := p.next(in); got != want {
			t.Errorf("next(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSessionsAreSignedAndEnd(t *testing.T) {
	t.Parallel()
	m := pump(t)
	p := New(Options{Store: m, Clock: still{}, Access: Access{Key: accessKey, Secret: secret}})
	w := httptest.NewRecorder()
	if err := p.remember(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), viewer{All: true}); err != nil {
		t.Fatal(err)
	}
	good := w.Result().Cookies()[0]
	known := func(p *Pages, value string) bool {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: value})
		_, ok := p.viewer(r)
		return ok
	}
	if !known(p, good.Value) {
		t.Error("its own session is not known")
	}
	payload, signature, _ := strings.Cut(good.Value, ".")
	for name, value := range map[string]string{
		"no signature": payload, "another payload": encode(`{"all":true,"until":9999999999}`) + "." + signature, "empty": "",
		"signature of a capability": payload + "." + strings.Repeat("A", len(signature)),
	} {
		if known(p, value) {
			t.Errorf("%s is taken for a session", name)
		}
	}
	if known(New(Options{Store: m, Clock: still{}, Access: Access{Key: "new key", Secret: secret}}), good.Value) {
		t.Error("a session outlives its access key")
	}
}

func TestAccountsSeeWhatTheForgeLetsThemRead(t *testing.T) {
	t.Parallel()
	g := &gate{readers: map[string]forges.Permission{"mara": forges.PermRead}}
	p := New(Options{Store: pump(t), Clock: still{}, Forges: map[string]forges.Forge{"github": g}, Access: Access{Secret: secret}})
	repo := store.RepoRow{Forge: "github", ID: "78", Owner: "acme", Name: "secret-pump", Private: true}
	for _, c := range []struct {
		name string
		v    viewer
		want bool
	}{
		{"reader", viewer{Forge: "github", Login: "mara"}, true},
		{"not a reader", viewer{Forge: "github", Login: "sam"}, false},
		{"the same login on another forge", viewer{Forge: "gitea", Login: "mara"}, false},
		{"stranger", viewer{}, false},
	} {
		if got := p.sees(t.Context(), c.v, repo); got != c.want {
			t.Errorf("%s sees: %v", c.name, got)
		}
	}
	asked := g.asked
	p.sees(t.Context(), viewer{Forge: "github", Login: "mara"}, repo)
	if g.asked != asked {
		t.Error("the forge is asked again within the minute")
	}
	g.err = errors.New("connection reset")
	if p.sees(t.Context(), viewer{Forge: "github", Login: "priya"}, repo) {
		t.Error("an unreadable permission opens the page")
	}
}

// The OAuth dance against a forge that holds to it.
func TestAccountLogin(t *testing.T) {
	t.Parallel()
	var challenge string
	forge := http.NewServeMux()
	forge.HandleFunc("GET /login/oauth/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		challenge = q.Get("code_challenge")
		http.Redirect(w, r, q.Get("redirect_uri")+"?code=c0de&state="+url.QueryEscape(q.Get("state")), http.StatusFound)
	})
	forge.HandleFunc("POST /login/oauth/access_token", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("code") != "c0de" || r.PostFormValue("client_secret") != "shh" || challengeOf(r.PostFormValue("code_verifier")) != challenge {
			http.Error(w, "bad code", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"t0ken","token_type":"bearer"}`)
	})
	forge.HandleFunc("GET /api/user", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t0ken" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"login":"mara"}`)
	})
	host := httptest.NewServer(forge)
	t.Cleanup(host.Close)
	g := &gate{readers: map[string]forges.Permission{"mara": forges.PermRead}}
	_, server := serve(t, Options{
		Store: pump(t), Forges: map[string]forges.Forge{"github": g},
		Access: Access{Secret: secret, GitHub: &OAuth{Forge: "github", ClientID: "id", ClientSecret: "shh", WebURL: host.URL, APIURL: host.URL + "/api"}},
	})
	v := visit(t, server)
	res, body := v.get("/login/github?next=/c/github/acme/secret-pump/40")
	if res.StatusCode != 200 || !strings.Contains(body, "Clamp the bolus") {
		t.Fatalf("%d at %s:\n%s", res.StatusCode, res.URL, body)
	}
	// A code brought to a browser that began no login, or with another state.
	if res, _ := visit(t, server).get("/login/github/done?code=c0de&state=x"); res.StatusCode != 403 {
		t.Errorf("a login nobody began: %d", res.StatusCode)
	}
	w := visit(t, server)
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.get("/login/github")
	if res, _ := w.get("/login/github/done?code=c0de&state=x"); res.StatusCode != 403 {
		t.Errorf("another state: %d", res.StatusCode)
	}
}

func TestTheSecretIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	m := pump(t)
	k := store.Key{Forge: "github", RepoID: "78", Kind: store.KindChange, Ref: "40"}
	one, err := New(Options{Store: m}).Capability(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	two, err := New(Options{Store: m}).Capability(t.Context(), k)
	if err != nil || one != two {
		t.Errorf("two replicas of one store give %q and %q, %v", one, two, err)
	}
	three, err := New(Options{Store: pump(t)}).Capability(t.Context(), k)
	if err != nil || three == one {
		t.Errorf("another store gives the same key, %v", err)
	}
	m.notes[secretNote] = "damaged"
	if _, err := New(Options{Store: m}).Capability(t.Context(), k); err == nil {
		t.Error("a damaged secret signs")
	}
}

func TestHeadersKeepThePageToItself(t *testing.T) {
	t.Parallel()
	_, server := serve(t, Options{Store: pump(t), Access: Access{Secret: secret}})
	res, _ := visit(t, server).get("/")
	for name, want := range map[string]string{
		"Content-Security-Policy": policyHeader, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-cache",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestHostileTextStaysTextOnPages(t *testing.T) {
	t.Parallel()
	handler := regexp.MustCompile(`(?i)<[^>]+\son[a-z]+\s*=`)
	quoted := regexp.MustCompile(`"[^"]*"`)
	address := regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
	for _, x := range append(reporttest.Hostile(), `"><script>x</script>`, `' onmouseover='x`, "{{.}}") {
		m := &memory{acts: map[store.Key][]store.Act{}}
		m.repo("77", "acme", "infusion-pump", false)
		k := m.judged(t, m.repos[0], 1, 0, reporttest.HostileVerdict(x), reporttest.HostileVerdict(x))
		m.open[0].Problem, m.open[0].GaveUp = x, true
		m.acts[k] = []store.Act{{Kind: x, Detail: x, Error: x}}
		p := New(Options{Store: m, Clock: still{}, Access: Access{Everyone: true}})
		for _, path := range []string{"/", "/c/github/acme/infusion-pump/1", "/?q=" + url.QueryEscape(x) + "&product=" + url.QueryEscape(x)} {
			w := httptest.NewRecorder()
			p.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
			body := w.Body.String()
			if w.Code != 200 {
				t.Fatalf("%s of %q: %d", path, x, w.Code)
			}
			if n := strings.Count(strings.ToLower(body), "<script"); n != 1 || handler.MatchString(quoted.ReplaceAllString(body, `""`)) || strings.Contains(body, "<img") {
				t.Errorf("%s of %q:\n%s", path, x, body)
			}
			for _, a := range address.FindAllStringSubmatch(body, -1) {
				if strings.HasPrefix(strings.ToLower(a[1]), "javascript") {
					t.Errorf("%s of %q links %q", path, x, a[1])
				}
			}
		}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/changes.csv", nil))
		records, err := csv.NewReader(w.Body).ReadAll()
		if err != nil || len(records) != 2 {
			t.Fatalf("csv of %q: %d rows, %v", x, len(records), err)
		}
		for _, c := range records[1] {
			if c != "" && strings.ContainsRune("=+-@", rune(c[0])) {
				t.Errorf("csv of %q: a spreadsheet reads %q as a formula", x, c)
			}
		}
	}
}

func TestListsAreThereAsDataUnderTheSameFilter(t *testing.T) {
	t.Parallel()
	_, server := serve(t, Options{Store: pump(t), Access: Access{Everyone: true}})
	_, body := visit(t, server).get("/changes.json?state=fail&class=C")
	var list struct {
		Schema  string `json:"schema"`
		Changes []row  `json:"changes"`
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatal(err)
	}
	_, page := visit(t, server).get("/?state=fail&class=C")
	if n := strings.Count(page, `<a class="name"`); list.Schema != "primum.changes/v1" || n != len(list.Changes) || n == 0 {
		t.Errorf("%s: %d on the page, %d as JSON", list.Schema, n, len(list.Changes))
	}
	for _, c := range list.Changes {
		if c.State != "fail" || c.Class != "C" {
			t.Errorf("%+v", c)
		}
	}
	_, body = visit(t, server).get("/c/github/acme/infusion-pump/11.json")
	var v rules.Verdict
	if err := json.Unmarshal([]byte(body), &v); err != nil || v.Schema != rules.VerdictSchema || v.Subject.Change != 11 {
		t.Errorf("verdict as JSON: %v, %+v", err, v.Subject)
	}
}

// Every number opens the list it counts.
func TestCountsOpenTheirLists(t *testing.T) {
	t.Parallel()
	_, server := serve(t, Options{Store: pump(t), Access: Access{Everyone: true}})
	_, page := visit(t, server).get("/")
	tiles := regexp.MustCompile(`class="tile[^"]*" href="([^"]*)"[^>]*><b>(\d+)</b>`).FindAllStringSubmatch(page, -1)
	if len(tiles) != len(states()) {
		t.Fatalf("%d tiles", len(tiles))
	}
	for _, tile := range tiles {
		_, list := visit(t, server).get(strings.ReplaceAll(tile[1], "&amp;", "&"))
		if got := strings.Count(list, `<a class="name"`); tile[2] != itoa(got) {
			t.Errorf("%s says %s, its list holds %d", tile[1], tile[2], got)
		}
	}
}
