package pages

import (
	"context"
	"flag"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "a folder to keep pictures of the pages in")

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
		const why = "no chromium on this machine: the pages are not opened in a real browser; install chromium to run this test"
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

func TestPagesLoadInABrowserWithoutAnyComplaint(t *testing.T) {
	m := pump(t)
	p := New(Options{Store: m, Clock: still{}, Access: Access{Everyone: true}, Engine: "test"})
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
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
	for _, v := range []struct {
		name, path string
		wide, high int64
		scheme     string
		want       string // selector that must be there
	}{
		{"start", "/", 1180, 1000, "light", ".list tbody tr"},
		{"start-dark", "/?state=fail", 1180, 1000, "dark", ".tile[aria-current]"},
		{"start-phone", "/", 390, 844, "light", ".list tbody tr"},
		{"change", "/c/github/acme/secret-pump/40", 1180, 2300, "light", "ol.todos .todo"},
		{"change-dark", "/c/github/acme/infusion-pump/22", 1180, 2000, "dark", ".tree .node"},
		{"change-phone", "/c/github/acme/secret-pump/40", 390, 1600, "light", "ol.todos .todo"},
		{"gave-up", "/c/github/acme/infusion-pump/13", 1180, 1200, "light", ".notice.bad"},
		{"preview", "/c/github/acme/infusion-pump/20", 1180, 1400, "light", ".plainlist .worse"},
		{"policy-error", "/c/github/acme/infusion-pump/14", 1180, 900, "light", "#errors"},
		{"unjudged", "/c/github/acme/infusion-pump/30", 1180, 500, "light", ".head"},
		{"stranger", "/c/github/acme/nothing/1", 1180, 500, "light", ".narrow"},
	} {
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}},
		}); err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(v.wide, v.high), chromedp.Navigate(server.URL+v.path)); err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		found, err := chromedp.Run(ctx, chromedp.Evaluate[int]("document.querySelectorAll(`"+v.want+"`).length"))
		if err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		overflow, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > document.documentElement.clientWidth`))
		if err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		if found == 0 {
			t.Errorf("%s: nothing matches %q", v.name, v.want)
		}
		if overflow {
			t.Errorf("%s: the page is wider than the window", v.name)
		}
		if *shots != "" {
			picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(*shots, v.name+".png"), picture, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, c := range complaints {
		if c != "network: Failed to load resource: the server responded with a status of 404 (Not Found)" { // the stranger's page is one
			t.Errorf("the browser complains: %s", c)
		}
	}
}
