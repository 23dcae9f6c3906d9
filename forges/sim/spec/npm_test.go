package spec

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// archive is a package with one file.
func archive(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	tw := tar.NewWriter(zw)
	if err := tw.WriteHeader(&tar.Header{Name: "package/" + name, Mode: 0o600, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := tw.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestADescriptionIsFetchedOnceAndOnlyAsPinned does without npm and asks a
// registry of its own, in a module of its own.
func TestADescriptionIsFetchedOnceAndOnlyAsPinned(t *testing.T) {
	good := archive(t, "api.json", `{"openapi":"3.0.3"}`)
	asked := 0
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.URL.Path != "/@octokit/thing/-/thing-1.2.3.tgz" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(good)
	}))
	defer registry.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	t.Setenv("PATH", dir)
	t.Setenv("npm_config_registry", registry.URL+"/")

	sum := sha512.Sum512(good)
	p := pinned{name: "@octokit/thing", version: "1.2.3", file: "api.json", integrity: base64.StdEncoding.EncodeToString(sum[:])}

	wrong := p
	wrong.integrity = base64.StdEncoding.EncodeToString(make([]byte, 64))
	if _, err := wrong.read(); err == nil || !strings.Contains(err.Error(), "pinned is") {
		t.Errorf("another archive was taken: %v", err)
	}
	absent := p
	absent.version = "9.9.9"
	if _, err := absent.read(); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v, want the registry's 404", err)
	}
	empty := p
	empty.file = "other.json"
	if _, err := empty.read(); err == nil {
		t.Error("a file the archive lacks was read")
	}
	before := asked
	for range 2 {
		raw, err := p.read()
		if err != nil || string(raw) != `{"openapi":"3.0.3"}` {
			t.Fatalf("read %q, %v", raw, err)
		}
	}
	if asked != before+1 {
		t.Errorf("asked %d times, want once", asked-before)
	}
}
