package demo

import (
	"bytes"
	"context"
	"flag"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"primum/forges/sim"
)

var shots = flag.String("shots", "", "a folder to keep pictures of the pages in")

// Numbers of the changes, in the order in which the past opens them.
const (
	ready = iota + 9
	missingRequest
	stale
	selfApproved
	unanswered
	waiting
	weaker
	documents
	mixed
	waiver
)

// start starts a demonstration that ends with the test.
func start(t *testing.T, kind string) *Demo {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	d, err := Start(t.Context(), Options{Engine: "test", Forge: kind, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// title is what Primum's check on a change's head says now.
func (d *Demo) title(n int) (c checkView) {
	d.world.forge.Read(func(v *sim.View) {
		rp := v.Repo(repo)
		c, _ = checksOf(v, rp, rp.Issues[n].Change.Head)
	})
	return c
}

// until waits for a change's check to say something.
func (d *Demo) until(t *testing.T, n int, state, title string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if c := d.title(n); c.State == state && strings.Contains(c.Title, title) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("change %d: the check is %+v, want %s %q", n, d.title(n), state, title)
}

// do sends a form as a person and gives the page it leads to.
func (d *Demo) do(t *testing.T, who string, form ...string) string {
	t.Helper()
	values := url.Values{"back": {"/"}}
	for i := 0; i+1 < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL+"act", strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.AddCookie(&http.Cookie{Name: whoCookie, Value: who})
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%v: %d, %v", form, res.StatusCode, err)
	}
	return string(body)
}

// each runs a test on every kind of forge.
func each(t *testing.T, test func(t *testing.T, d *Demo)) {
	t.Helper()
	for _, kind := range Forges() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, start(t, kind))
		})
	}
}

func TestTenChangesStandInTenStates(t *testing.T) {
	t.Parallel()
	each(t, tenStates)
}

func tenStates(t *testing.T, d *Demo) {
	t.Helper()
	waits := "pending"
	if d.world.scene.Kind == "gitlab" {
		waits = "fail" // a commit status that waits would hang the pipeline
	}
	for _, c := range []struct {
		n            int
		state, title string
	}{
		{ready, "pass", "Class C · ready to merge"},
		{missingRequest, "fail", "Class B · 1 action needed: change request"},
		{stale, "fail", "Class B · 1 action needed: fresh approval"},
		{selfApproved, "fail", "Class A · 1 action needed: another reviewer"},
		{unanswered, "fail", "Class C · 1 action needed: risk assessment"},
		{waiting, waits, "Class C · waiting for CI: verify-hil"},
		{weaker, "fail", "Class C · 5 actions needed"},
		{documents, "pass", "Not governed: no device software changed"},
		{mixed, "fail", "Class C · 2 actions needed: review, CI"},
		{waiver, "fail", "Class C · 1 action needed: test for the fix"},
	} {
		d.until(t, c.n, c.state, c.title)
	}
}

// Every act a newcomer can choose does what it says, and the verdict follows.
func TestActsChangeVerdicts(t *testing.T) {
	t.Parallel()
	each(t, actsChangeVerdicts)
}

func actsChangeVerdicts(t *testing.T, d *Demo) {
	t.Helper()
	number := func(n int) string { return strconv.Itoa(n) }
	d.until(t, stale, "fail", "fresh approval")

	d.do(t, "sam", "do", "approve", "number", number(stale), "body", "/primum sign reviewed-code")
	d.until(t, stale, "pass", "ready to merge")

	d.do(t, "sam", "do", "link", "number", number(missingRequest), "issue", "4")
	d.until(t, missingRequest, "pass", "ready to merge")

	d.do(t, "jonas", "do", "check", "number", number(waiting), "name", "verify-hil", "conclusion", "success")
	d.until(t, waiting, "pass", "ready to merge")
	d.do(t, "jonas", "do", "check", "number", number(waiting), "name", "verify-hil", "conclusion", "failure")
	d.until(t, waiting, "fail", "CI")

	answers := []string{"do", "risk", "number", number(unanswered)}
	for i, reason := range []string{
		"no, because the tone only ends later and never earlier", "no, because HZ-5 stays controlled by the second sounder",
		"no, because the nurse call output is not touched", "no, because no input from outside is read",
	} {
		answers = append(answers, "risk"+number(i+1), reason)
	}
	d.do(t, "mara", answers...)
	d.until(t, unanswered, "pass", "ready to merge")

	d.do(t, "chen", "do", "comment", "number", number(waiver), "body", "/primum approve W1")
	d.until(t, waiver, "pass", "ready to merge, 1 rule waived")

	d.until(t, ready, "pass", "ready to merge")
	d.do(t, "jonas", "do", "push", "number", number(ready), "path", "fw/dosing/ramp.c")
	d.until(t, ready, "fail", "Class C")

	page := d.do(t, "alex", "do", "save", "number", "0", "branch", "main", "path", ".primum.yml", "title", "Another class",
		"text", "version: 1\nproduct: infusion-pump\nmode: maybe\n")
	sc := d.world.scene
	if !strings.Contains(page, sc.Change(waiver+1)) || !strings.Contains(page, "alex opened "+sc.Sign) {
		t.Fatalf("no change was opened:\n%s", page)
	}

	d.do(t, "sam", "do", "merge", "number", number(stale), "back", d.world.scene.Change(stale))
	if is, _ := d.world.forge.Issue(repo, stale); !is.Change.Merged {
		t.Error("a ready change was not merged")
	}
	page = d.do(t, "sam", "do", "merge", "number", number(mixed), "back", d.world.scene.Change(mixed))
	if is, _ := d.world.forge.Issue(repo, mixed); is.Change.Merged || !strings.Contains(page, "sam could not do that") {
		t.Errorf("a change whose check fails was merged, or nobody says why not:\n%s", page)
	}
	if !sc.Line {
		return
	}
	// Somebody sets Primum's status by hand: the verdict is put back, and it is said.
	d.do(t, "sam", "do", "forge", "number", number(mixed))
	d.until(t, mixed, "fail", "2 actions needed")
	page = d.do(t, "sam", "do", "merge", "number", number(mixed))
	if is, _ := d.world.forge.Issue(repo, mixed); is.Change.Merged {
		t.Errorf("a forged status let a change through:\n%s", page)
	}
}

func TestActsThatCannotBeSaySo(t *testing.T) {
	t.Parallel()
	d := start(t, "github")
	for _, c := range []struct {
		name, who string
		form      []string
		want      string
	}{
		{"approving one's own", "jonas", []string{"do", "approve", "number", "9"}, "your own pull request"},
		{"an empty comment", "jonas", []string{"do", "comment", "number", "9", "body", " "}, "there is nothing to send"},
		{"an unknown act", "jonas", []string{"do", "dance"}, "nobody knows how to"},
		{"a change that is not there", "jonas", []string{"do", "push", "number", "99", "path", "x"}, "there is no change 99"},
		{"a path outside", "jonas", []string{"do", "save", "branch", "main", "path", "../x", "text", "y"}, "outside the repository"},
		{"no answers", "mara", []string{"do", "risk", "number", "13"}, "there is nothing to send"},
	} {
		if page := d.do(t, c.who, c.form...); !strings.Contains(page, c.want) {
			t.Errorf("%s: the page does not say %q", c.name, c.want)
		}
	}
}

func TestWhatPeopleWriteStaysText(t *testing.T) {
	t.Parallel()
	d := start(t, "github")
	d.do(t, "sam", "do", "comment", "number", "9", "body", "<script>alert(1)</script> <img src=x onerror=alert(2)> [x](javascript:alert(3))")
	page := d.do(t, "sam", "do", "comment", "number", "9", "body", "again", "back", d.world.scene.Change(9))
	for _, bad := range []string{"<script>alert", "<img", "javascript:"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	// A form of another site acts for nobody.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL+"act", strings.NewReader("do=merge&number=9"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %d", res.StatusCode)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	d, err := Start(t.Context(), Options{Engine: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(d.dir, "primum.db")); err != nil {
		t.Fatalf("while running: %v", err)
	}
	d.Close()
	if _, err := os.Stat(d.dir); !os.IsNotExist(err) {
		t.Errorf("after closing, %s: %v", d.dir, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(req); err == nil {
		_ = res.Body.Close()
		t.Error("the page still answers")
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var out firstWrite
	out.wrote = make(chan struct{})
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, Options{Out: &out}) }()
	<-out.wrote
	if !strings.Contains(out.String(), "http://127.0.0.1:") {
		t.Errorf("it says %q", out.String())
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// firstWrite keeps what is written and tells of the first of it.
type firstWrite struct {
	mu    sync.Mutex
	b     strings.Builder
	once  sync.Once
	wrote chan struct{}
}

func (w *firstWrite) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.once.Do(func() { close(w.wrote) })
	return w.b.Write(p)
}

func (w *firstWrite) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// browser starts a headless browser, or says why the test is skipped.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		const why = "no chromium on this machine: the demonstration is not opened in a real browser; install chromium to run this test"
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// keepSmall writes a picture with the strongest compression.
func keepSmall(t *testing.T, path string, raw []byte) {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A newcomer approves and watches the verdict change on the page, unasked.
func TestANewcomerActsInTheBrowser(t *testing.T) {
	d := start(t, "github")
	for n, c := range map[int][2]string{stale: {"fail", "fresh approval"}, weaker: {"fail", "5 actions"}, mixed: {"fail", "2 actions"}, waiver: {"fail", "1 action"}, ready: {"pass", "ready"}, unanswered: {"fail", "risk"}} {
		d.until(t, n, c[0], c[1])
	}
	ctx := browser(t)
	var mu sync.Mutex
	var complaints []string
	complain := func(s string) { mu.Lock(); defer mu.Unlock(); complaints = append(complaints, s) }
	if err := chromedp.Listen(ctx, func(ev any) {
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			complain("exception: " + e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			complain("console: " + string(e.Type))
		case *log.EventEntryAdded:
			complain(string(e.Entry.Source) + ": " + e.Entry.Text)
		}
	}); err != nil {
		t.Fatal(err)
	}
	step := func(what string, actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	picture := func(name string) {
		t.Helper()
		if *shots == "" {
			return
		}
		raw, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*shots, name+".png"), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	see := func(path, picked, name string) {
		t.Helper()
		step(path, chromedp.Navigate(d.URL+path), chromedp.WaitVisible(picked))
		picture(name)
	}
	small := func(name string, shot chromedp.Action[[]byte]) {
		t.Helper()
		if *shots == "" {
			return
		}
		raw, err := chromedp.Run(ctx, shot)
		if err != nil {
			t.Fatal(err)
		}
		keepSmall(t, filepath.Join(*shots, name+".png"), raw)
	}
	// The two pictures of README.md: go test ./cmd/primum/demo -run Newcomer -args -shots ../../../testdata/pictures
	// writes them among the others. One column wide, so that the comment is.
	step("one column", chromedp.EmulateViewport(940, 1180))
	step("the comment", chromedp.Navigate(d.URL+strings.TrimPrefix(d.world.scene.Change(mixed), "/")), chromedp.WaitVisible(".entry.primum"))
	small("comment", chromedp.Screenshot(".entry.primum"))
	step("begin", chromedp.EmulateViewport(1240, 1180))
	step("the verdict", chromedp.Navigate(d.URL+"primum/c/github/"+repo+"/"+strconv.Itoa(mixed)), chromedp.WaitVisible(".todo"))
	small("verdict", chromedp.CaptureScreenshot())
	see("", "table.list .badge.s-fail", "demo-home")
	see(strings.TrimPrefix(d.world.scene.Change(weaker), "/"), ".entry.primum", "demo-policy")
	see(strings.TrimPrefix(d.world.scene.Change(waiver), "/"), ".entry.primum", "demo-waiver")
	see(repo+"/issues/6", ".entry.description", "demo-issue")
	see(repo+"/edit/main?path=.primum.yml", "textarea.code", "demo-edit")
	see("primum/", ".list .badge", "demo-primum-start")
	see("primum/c/github/"+repo+"/"+strconv.Itoa(mixed), ".todo", "demo-primum-change")
	see(strings.TrimPrefix(d.world.scene.Change(stale), "/"), ".verdict.s-fail", "demo-before")

	// Only a developer who did not push here can approve: sam.
	step("become sam", chromedp.Click(`.people button[value="sam"]`), chromedp.WaitVisible(`.people button[value="sam"][aria-pressed="true"]`))
	step("wait for the stream", chromedp.WaitVisible("#live.on"))
	begin := time.Now()
	step("approve", chromedp.Click(`button[value="approve"]`), chromedp.WaitVisible(".verdict.s-pass"))
	t.Logf("the verdict followed after %v", time.Since(begin))
	picture("demo-after")

	mu.Lock()
	defer mu.Unlock()
	for _, c := range complaints {
		t.Errorf("the browser complains: %s", c)
	}
}
