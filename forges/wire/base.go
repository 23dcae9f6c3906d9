package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Base reads the address of a forge as people give it: http or https, a host,
// perhaps a path where it is installed below one. The result ends in a slash,
// so that relative paths are resolved below it.
func Base(raw string) (*url.URL, error) {
	wrong := func(what string) error {
		return fmt.Errorf("address %q: %s; it would be like https://host or https://host/path", Short(Redact(raw), 200), what)
	}
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case err != nil:
		return nil, wrong("not an address")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, wrong("neither https nor http")
	case u.Hostname() == "":
		return nil, wrong("no host")
	case u.User != nil:
		return nil, wrong("a user or password in it")
	case u.RawQuery != "" || u.ForceQuery:
		return nil, wrong("a query in it")
	case u.Fragment != "":
		return nil, wrong("a fragment in it")
	}
	path := strings.TrimRight(u.Path, "/") + "/"
	if strings.Contains(path, "//") || strings.Contains(path, "/../") || strings.Contains(path, "/./") {
		return nil, wrong("an odd path")
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host), Path: path}, nil
}

// Transport makes the transport of Options: CAFile, CAPEM and Proxy.
func Transport(o Options) (*http.Transport, error) {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("the standard transport was replaced")
	}
	t := standard.Clone()
	t.MaxIdleConnsPerHost = max(o.MaxInFlight, defaultFlight)
	if o.Proxy != nil {
		t.Proxy = o.Proxy
	}
	pool, err := Authorities(o.CAFile, o.CAPEM)
	if err != nil {
		return nil, err
	}
	t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return t, nil
}

// Authorities are the system's and those of a PEM file and of PEM bytes; nil,
// which stands for the system's, if neither is given.
func Authorities(file string, more []byte) (*x509.CertPool, error) {
	roots := more
	if file != "" {
		read, err := os.ReadFile(file) //nolint:gosec // whoever runs the service names it
		if err != nil {
			return nil, fmt.Errorf("authorities: %w", err)
		}
		roots = append(append([]byte{}, roots...), read...)
	}
	if len(roots) == 0 {
		if file != "" {
			return nil, fmt.Errorf("authorities: %s is empty", file)
		}
		return nil, nil //nolint:nilnil // nil stands for the system's
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(roots) {
		return nil, errors.New("authorities: no certificate in the PEM given")
	}
	return pool, nil
}

// host is the host of an address with its port, in one spelling.
func host(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
