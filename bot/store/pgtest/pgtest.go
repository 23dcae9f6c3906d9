// Package pgtest gives tests a PostgreSQL of their own: a private cluster in a
// temporary folder, or the server that PRIMUM_TEST_POSTGRES_URL names, and in
// it one empty database per test.
package pgtest

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Env names the server to test against instead of a private cluster.
const Env = "PRIMUM_TEST_POSTGRES_URL"

// ErrNoServer says that this machine has no PostgreSQL to start.
var ErrNoServer = errors.New("no PostgreSQL server programs in /usr/lib/postgresql or on the PATH; install postgresql or set " + Env)

// Server is a running PostgreSQL.
type Server struct {
	// URL is the address of its maintenance database.
	URL  string
	stop func() error
}

// New gives t a server that ends with it. Without PostgreSQL on the machine the
// test is skipped with a sentence, but fails where CI is "true".
func New(t testing.TB) *Server {
	t.Helper()
	s, err := Start(context.WithoutCancel(t.Context()))
	switch {
	case errors.Is(err, ErrNoServer) && os.Getenv("CI") != "true":
		t.Skip("PostgreSQL is not tested here:", err)
	case err != nil:
		t.Fatal("start PostgreSQL:", err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error("stop PostgreSQL:", err)
		}
	})
	return s
}

// Start starts a private cluster, or uses the server that Env names.
func Start(ctx context.Context) (*Server, error) {
	if address := os.Getenv(Env); address != "" {
		return &Server{URL: address, stop: func() error { return nil }}, nil
	}
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	return startCluster(ctx, bin)
}

// Stop ends the cluster and removes its files.
func (s *Server) Stop() error { return s.stop() }

// Database makes an empty database, dropped when t ends, and returns its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // the clean-up needs it after the test
	name := "primum_" + strings.ToLower(rand.Text())
	admin, err := sql.Open("pgx", s.URL)
	if err != nil {
		t.Fatal("open PostgreSQL:", err)
	}
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal("create database:", err)
	}
	t.Cleanup(func() {
		if _, err := admin.ExecContext(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error("drop database:", err)
		}
		if err := admin.Close(); err != nil {
			t.Error("close PostgreSQL:", err)
		}
	})
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal("read address:", err)
	}
	u.Path = "/" + name
	return u.String()
}

// binaries is the folder of the newest server programs.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		newest := slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(release(a), release(b)) })
		return filepath.Dir(newest), nil
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", ErrNoServer
	}
	return filepath.Dir(initdb), nil
}

// release is the version in /usr/lib/postgresql/15/bin/initdb.
func release(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb)))) // 0 sorts last
	return n
}

// startTries allows for another process taking the free port meanwhile.
const startTries = 3

func startCluster(ctx context.Context, bin string) (*Server, error) {
	dir, err := os.MkdirTemp("", "primum-pg-")
	if err != nil {
		return nil, err
	}
	remove := func() error { return os.RemoveAll(dir) }
	c := cluster{bin: bin, dir: dir}
	if c.account, err = account(dir); err != nil {
		return nil, errors.Join(err, remove())
	}
	if err := c.run(ctx, "initdb", "--auth=trust", "--username=primum", "--encoding=UTF8", "--no-locale", "--pgdata="+c.data()); err != nil {
		return nil, errors.Join(err, remove())
	}
	for range startTries {
		var port int
		if port, err = freePort(ctx); err != nil {
			continue
		}
		options := fmt.Sprintf("-p %d -k %s -c listen_addresses=127.0.0.1 -c max_connections=200", port, dir)
		err = c.run(ctx, "pg_ctl", "start", "--wait", "--pgdata="+c.data(), "--log="+filepath.Join(dir, "log"), "--options="+options)
		if err == nil {
			stop := func() error {
				ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
				defer cancel()
				return errors.Join(c.run(ctx, "pg_ctl", "stop", "--wait", "--mode=immediate", "--pgdata="+c.data()), remove())
			}
			return &Server{URL: fmt.Sprintf("postgres://primum@127.0.0.1:%d/postgres?sslmode=disable", port), stop: stop}, nil
		}
	}
	return nil, errors.Join(err, remove())
}

// cluster is the files of a PostgreSQL and the account that runs it.
type cluster struct {
	bin, dir string
	account  string // "" for our own
}

func (c cluster) data() string { return filepath.Join(c.dir, "data") }

// run runs one of the server's programs, as the cluster's account.
func (c cluster) run(ctx context.Context, program string, args ...string) error {
	path := filepath.Join(c.bin, program)
	cmd := exec.CommandContext(ctx, path, args...)
	if c.account != "" {
		words := []string{quote(path)}
		for _, a := range args {
			words = append(words, quote(a))
		}
		cmd = exec.CommandContext(ctx, "su", "-s", "/bin/sh", c.account, "-c", strings.Join(words, " "))
	}
	cmd.Dir = c.dir
	// A file, not a pipe: the server inherits it and would keep a pipe open.
	out, err := os.Create(filepath.Join(c.dir, program+".out"))
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = out, out
	runErr := cmd.Run()
	if err := out.Close(); err != nil {
		return err
	}
	if runErr != nil {
		said, _ := os.ReadFile(out.Name()) // the error stands without it
		return fmt.Errorf("%s: %w: %s", program, runErr, strings.TrimSpace(string(said)))
	}
	return nil
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// account is who runs the server: ourselves, or, because PostgreSQL refuses
// root, an account that owns nothing else; the folder becomes theirs.
func account(dir string) (string, error) {
	if os.Getuid() != 0 {
		return "", nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			return "", err
		}
		gid, err := strconv.Atoi(u.Gid)
		if err != nil {
			return "", err
		}
		return name, os.Chown(dir, uid, gid)
	}
	return "", fmt.Errorf("%w: PostgreSQL does not run as root, and there is no account postgres or nobody", ErrNoServer)
}

func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }() // the port is known
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("listener has address %v", l.Addr())
	}
	return addr.Port, nil
}
