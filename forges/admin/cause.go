package admin

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
	"syscall"
	"time"

	"primum/forges"
	"primum/forges/wire"
)

// Trouble is an error in the words of law 12: what is, why, and the way out.
type Trouble struct {
	Says string
	Cure string
	Err  error
}

// Error implements error.
func (t *Trouble) Error() string {
	if t.Cure == "" {
		return t.Says
	}
	return t.Says + "; " + t.Cure
}

// Unwrap gives the error it was made of.
func (t *Trouble) Unwrap() error { return t.Err }

// Words are what a forge calls its things, for the sentences of this package.
type Words struct {
	Product string // "Gitea"
	CA      string // how a person names a file of authorities: "--ca-file" or "PRIMUM_GITEA_CA_FILE"
	URL     string // how a person names the address: "--url" or "PRIMUM_GITEA_URL"
}

// Explain puts an error into words. doing is what was tried, "read the webhooks
// of acme"; need what the token must be allowed to for it, and how to get it.
func (w Words) Explain(err error, doing, need string) error {
	if err == nil {
		return nil
	}
	if _, said := errors.AsType[*Trouble](err); said {
		return err
	}
	says, cure := w.unreached(err)
	if says == "" {
		says, cure = w.refused(err, need)
	}
	if doing != "" {
		says = doing + ": " + says
	}
	return &Trouble{Says: says, Cure: cure, Err: err}
}

func (w Words) refused(err error, need string) (says, cure string) {
	limited, isLimited := errors.AsType[*forges.RateLimited](err)
	answer, isAnswer := errors.AsType[*forges.HTTPError](err)
	switch {
	case isLimited:
		return w.Product + " asks to wait until " + limited.Until.UTC().Format(time.RFC3339), "run it again then"
	case !isAnswer:
		return err.Error(), ""
	case answer.Status == http.StatusUnauthorized:
		return w.Product + " does not accept the token (401" + quoted(answer.Message) + ")",
			"it was revoked, has run out or has a slip in it: make a new one"
	case answer.Status == http.StatusForbidden:
		return w.Product + " refuses it (403" + quoted(answer.Message) + ")", need
	case answer.Status == http.StatusNotFound:
		return w.Product + " shows no such thing (404" + quoted(answer.Message) + "), or does not show it to this token", need
	case answer.Status >= http.StatusInternalServerError:
		return fmt.Sprintf("%s has trouble of its own (%d%s)", w.Product, answer.Status, quoted(answer.Message)), "look at its log, then run it again"
	case answer.Status/100 == 3:
		return fmt.Sprintf("%s sends the call elsewhere (%d)", w.Product, answer.Status), "give the address it has now with " + w.URL
	}
	return err.Error(), need
}

func quoted(message string) string {
	if message == "" {
		return ""
	}
	return ", " + wire.Short(message, 160)
}

// unreached puts into words why a host did not answer; "" if it did.
func (w Words) unreached(err error) (says, cure string) {
	if _, answered := errors.AsType[*forges.HTTPError](err); answered {
		return "", ""
	}
	host := w.Product
	if u, ok := errors.AsType[*url.Error](err); ok {
		if at, parseErr := url.Parse(u.URL); parseErr == nil && at.Host != "" {
			host = at.Host
		}
	}
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &unknown):
		return host + " shows a certificate signed by an authority this machine does not know", "name the authority's PEM file with " + w.CA
	case errors.As(err, &name):
		return host + " shows a certificate for other names (" + strings.Join(name.Certificate.DNSNames, ", ") + ")", "use one of these names in " + w.URL + ", or get a certificate for this one"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return host + " shows a certificate that ran out or is not valid yet", "renew it, or set this machine's clock"
	case errors.As(err, &record):
		return host + " does not speak TLS on this port", "with http:// instead of https:// in " + w.URL + " it may answer; better, give it a certificate"
	case errors.As(err, &dns):
		return "the name " + dns.Name + " is not known to this machine's name server", "correct it in " + w.URL + ", or see to it that this machine can resolve it"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at " + host, "start it, or correct host and port in " + w.URL
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no way from this machine to " + host, "open it in the network, or set HTTPS_PROXY"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return host + " did not answer in time", "a firewall that drops packets looks like this, and so does a proxy that is needed and not set (HTTPS_PROXY)"
	case strings.Contains(err.Error(), "not followed"):
		return err.Error(), "give the address it leads to with " + w.URL
	case strings.Contains(err.Error(), "proxyconnect"):
		return "the proxy does not let this machine through to " + host, "set HTTPS_PROXY right, or NO_PROXY for hosts that need none"
	}
	return "", ""
}
