package spec

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pinned is one npm package and the one file of it that is used.
type pinned struct {
	name      string
	version   string
	integrity string // base64 of the archive's SHA-512, as npm publishes it
	file      string
}

func rest() pinned {
	return pinned{
		name: "@octokit/openapi", version: "23.0.2", file: "generated/api.github.com.json",
		integrity: "pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg==",
	}
}

func graph() pinned {
	return pinned{
		name: "@octokit/graphql-schema", version: "15.26.1", file: "schema.graphql",
		integrity: "RFDC2MpRBd4AxSRvUeBIVeBU7ojN/SxDfALUd7iVYOSeEK3gZaqR2MGOysj4Zh2xj2RY5fQAUT+Oqq7hWTraMA==",
	}
}

func hooks() pinned {
	return pinned{
		name: "@octokit/openapi-webhooks", version: "12.1.0", file: "generated/api.github.com.json",
		integrity: "Z5eDsLCUNbx1zHpZb1LNQirADqdMTvWJQ/deahi0ws+tWWnwHXB+Pr4jfmM9OrETS9Y5iW8ZRu1fdbudObhLrg==",
	}
}

func examples() pinned {
	return pinned{
		name: "@octokit/webhooks-examples", version: "7.6.1", file: "api.github.com/index.json",
		integrity: "De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ==",
	}
}

// unavailable says that a description could not be had.
type unavailable struct{ err error }

// Error implements error.
func (u unavailable) Error() string {
	return "GitHub's published description is not at hand and could not be fetched: " + u.err.Error()
}

// missing ends a test that cannot go on without a description: it fails where
// CI=true, and is skipped on a machine that is offline.
func missing(tb testing.TB, err error) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatal(err)
	}
	tb.Skip(err)
}

// read gives the pinned file, fetching it if this machine never did.
func (p pinned) read() ([]byte, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, "testdata", ".cache", "npm", strings.ReplaceAll(strings.TrimPrefix(p.name, "@"), "/", "-")+"-"+p.version)
	kept := filepath.Join(dir, filepath.FromSlash(p.file))
	if raw, err := os.ReadFile(kept); err == nil { //nolint:gosec // a path of our own making
		return raw, nil
	}
	archive, err := p.fetch()
	if err != nil {
		return nil, unavailable{fmt.Errorf("%s@%s: %w", p.name, p.version, err)}
	}
	sum := sha512.Sum512(archive)
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != p.integrity {
		return nil, fmt.Errorf("%s@%s has SHA-512 %s; pinned is %s", p.name, p.version, got, p.integrity)
	}
	raw, err := unpack(archive, "package/"+p.file)
	if err != nil {
		return nil, fmt.Errorf("unpack %s@%s: %w", p.name, p.version, err)
	}
	return raw, keep(kept, raw)
}

// keep writes a file whole or not at all: several tests may do so at a time.
func keep(name string, raw []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(name), ".part-*")
	if err != nil {
		return err
	}
	_, err = part.Write(raw)
	if err = errors.Join(err, part.Close()); err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return os.Rename(part.Name(), name)
}

// fetch gets the archive with npm, or from the registry where there is no npm.
func (p pinned) fetch() ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if _, err := exec.LookPath("npm"); err == nil {
		return p.npmPack(ctx)
	}
	registry := os.Getenv("npm_config_registry")
	if registry == "" {
		registry = "https://registry.npmjs.org"
	}
	base := p.name[strings.LastIndexByte(p.name, '/')+1:]
	url := fmt.Sprintf("%s/%s/-/%s-%s.tgz", strings.TrimRight(registry, "/"), p.name, base, p.version)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil) //nolint:gosec // the registry npm is told to use
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req) //nolint:gosec // the archive is compared with its pinned SHA-512
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return io.ReadAll(resp.Body)
}

func (p pinned) npmPack(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "npm-pack-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", p.name+"@"+p.version) //nolint:gosec // pinned names
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack: %w: %s", err, bytes.TrimSpace(out))
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("npm pack left %d archives", len(found))
	}
	return os.ReadFile(found[0])
}

func unpack(archive []byte, name string) ([]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	tr := tar.NewReader(zr)
	for {
		h, err := tr.Next()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if h.Name == name {
			return io.ReadAll(tr)
		}
	}
}

// moduleRoot is the folder of go.mod above the test.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod above the test")
		}
		dir = up
	}
}
