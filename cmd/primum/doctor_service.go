package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"primum/bot/clock"
	"primum/bot/config"
	"primum/bot/intake"
	"primum/bot/store"
	"primum/forges"
	"primum/forges/admin"
	"primum/forges/gitea"
	"primum/forges/github"
	"primum/forges/gitlab"
	"primum/forges/wire"
)

// arriveFor is how long a test delivery is waited for.
const arriveFor = 10 * time.Second

// service looks at what belongs to no forge: database and public address.
func (d *doctor) service(ctx context.Context) {
	var found admin.Findings
	d.database(ctx, &found)
	d.public(ctx, &found)
	d.add("service", found...)
}

// database looks whether the database can be written to. A file of SQLite that
// is not there yet is not made by looking.
func (d *doctor) database(ctx context.Context, found *admin.Findings) {
	const topic = "database"
	cure := "correct PRIMUM_DATABASE_URL, or start the database and let this account in"
	if !store.IsPostgres(d.config.DatabaseURL) {
		path := strings.TrimPrefix(strings.TrimPrefix(d.config.DatabaseURL, "sqlite:"), "//")
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			probe, err := os.CreateTemp(filepath.Dir(path), ".primum-*")
			if err != nil {
				found.Bad(topic, "make the folder and let this account write to it, or correct PRIMUM_DATABASE_URL", "the folder of %s cannot be written to", path)
				return
			}
			_, _ = probe.Close(), os.Remove(probe.Name()) // what is left is empty
			found.Good(topic, "%s is made when the service first starts", path)
			return
		}
	}
	db, err := store.Open(ctx, d.config.DatabaseURL, clock.System{}, slog.New(slog.DiscardHandler))
	if err != nil {
		found.Bad(topic, cure, "%v", err)
		return
	}
	defer func() { _ = db.Close() }() // was only looked at
	if err := db.Ready(ctx); err != nil {
		found.Bad(topic, "a full disk looks like this, and so does an account without rights to write", "it cannot be written to: %v", err)
		return
	}
	found.Good(topic, "%s, can be written to", databaseKind(d.config))
}

// public looks whether the service answers at its public address.
func (d *doctor) public(ctx context.Context, found *admin.Findings) {
	const topic = "public address"
	u, err := url.Parse(d.config.PublicURL)
	if err != nil {
		found.Bad(topic, "correct PRIMUM_PUBLIC_URL", "%s is no address", d.config.PublicURL)
		return
	}
	answer, err := d.get(ctx, "/healthz")
	words := admin.Words{Product: "the service", CA: "SSL_CERT_FILE", URL: "PRIMUM_PUBLIC_URL"}
	switch {
	case err != nil:
		found.Wrong(topic, forges.Bad, words.Explain(err, d.config.PublicURL+" is not reached from here", "start the service"))
	case answer.status != http.StatusOK || answer.body != "alive\n":
		found.Bad(topic, "let the proxy in front pass everything below it on to PRIMUM_LISTEN", "%s answers, and not as Primum (%d)", d.config.PublicURL, answer.status)
	case u.Scheme == "http" && u.Hostname() != "localhost" && !strings.HasPrefix(u.Hostname(), "127."):
		found.Odd(topic, "put a proxy with a certificate in front, and https:// into PRIMUM_PUBLIC_URL", "%s answers, without TLS: deliveries and pages can be read on their way", d.config.PublicURL)
	default:
		found.Good(topic, "the service answers at %s", d.config.PublicURL)
	}
}

// answered is an answer of the service itself.
type answered struct {
	status int
	body   string
}

func (d *doctor) get(ctx context.Context, path string) (answered, error) {
	return d.ask(ctx, http.MethodGet, path, nil, "")
}

// ask calls the service at its public address, as a forge would, and follows
// nothing.
func (d *doctor) ask(ctx context.Context, method, path string, header http.Header, body string) (answered, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, d.config.PublicURL+path, strings.NewReader(body))
	if err != nil {
		return answered{}, err
	}
	maps.Copy(r.Header, header)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		return answered{}, wire.Failure(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answered{answer.StatusCode, string(text)}, err
}

// hook sends a delivery about nothing to the service, as the forge would sign
// it, and one that is signed wrongly.
func (d *doctor) hook(ctx context.Context, in config.Instance) {
	var found admin.Findings
	defer func() { d.add(in.Key, found...) }()
	const topic = "signed delivery"
	id := "doctor-" + strings.ToLower(rand.Text())
	right, body := d.ping(in, false, id)
	wrong, _ := d.ping(in, true, id+"-wrong")
	got, err := d.ask(ctx, http.MethodPost, "/hooks/"+in.Key, right, string(body))
	if err != nil {
		found.Bad(topic, "see the public address above", "could not be sent to %s", d.hookURL(in))
		return
	}
	var receipt struct {
		Delivery string `json:"delivery"`
	}
	switch {
	case got.status == http.StatusAccepted && json.Unmarshal([]byte(got.body), &receipt) == nil && strings.Contains(receipt.Delivery, id):
		found.Good(topic, "accepted by the service at %s", d.hookURL(in))
	case got.status == http.StatusUnauthorized:
		found.Bad(topic, "start the service anew with the settings that doctor was given", "the service at %s has another secret", d.hookURL(in))
	case got.status == http.StatusNotFound:
		found.Bad(topic, "start the service with the settings of this forge, or correct PRIMUM_PUBLIC_URL", "what answers at %s knows no such forge", d.hookURL(in))
	default:
		found.Bad(topic, "let the proxy in front pass POST "+"/hooks/"+in.Key+" on unchanged", "%s answers %d instead of 202", d.hookURL(in), got.status)
	}
	got, err = d.ask(ctx, http.MethodPost, "/hooks/"+in.Key, wrong, string(body))
	switch {
	case err != nil:
		found.Bad("wrong signature", "see the public address above", "could not be sent to %s", d.hookURL(in))
	case got.status == http.StatusUnauthorized:
		found.Good("wrong signature", "refused")
	case got.status/100 == 2:
		found.Bad("wrong signature", "see to it that "+d.hookURL(in)+" leads to Primum and to nothing else", "was accepted: what answers there does not check signatures, so it is not Primum")
	}
}

// ping is a delivery about nothing.
func (d *doctor) ping(in config.Instance, wrong bool, id string) (http.Header, []byte) {
	secretOf := func(secrets []string) string {
		if wrong || len(secrets) == 0 {
			return rand.Text()
		}
		return secrets[0]
	}
	switch {
	case in.GitHub != nil:
		return github.Ping(secretOf(in.GitHub.WebhookSecrets), id)
	case in.Gitea != nil:
		return gitea.Ping(secretOf(in.Gitea.WebhookSecrets), id)
	case in.GitLab != nil:
		signing := ""
		if len(in.GitLab.SigningTokens) > 0 {
			if signing = in.GitLab.SigningTokens[0]; wrong {
				signing = "whsec_" + base64.StdEncoding.EncodeToString([]byte(rand.Text()))
			}
		}
		return gitlab.Ping(secretOf(in.GitLab.WebhookSecrets), signing, id, clock.System{}.Now())
	}
	return nil, nil
}

// came says whether deliveries of a forge, other than those of doctor, reached
// the service since it started.
func (d *doctor) came(ctx context.Context, key string) bool {
	n, err := d.counted(ctx, key, intake.Accepted, intake.Irrelevant, intake.Ours, intake.Replayed)
	if err != nil || n == 0 {
		return false
	}
	d.add(key, forges.Finding{Topic: "deliveries", Level: forges.Good, Says: fmt.Sprintf("%.0f came since the service started", n)})
	return true
}

// refused says whether deliveries of a forge were turned away for their signature
// since the service started. Each run of doctor brings one wrong delivery and one
// that is right and ignored, so what exceeds those ignored came from elsewhere.
func (d *doctor) refused(ctx context.Context, key string) {
	unsigned, err := d.counted(ctx, key, intake.Unsigned)
	if err != nil {
		return // doctor says so where it needs the counts
	}
	ignored, err := d.counted(ctx, key, intake.Ignored)
	if err != nil || unsigned <= ignored {
		return
	}
	proven, err := d.counted(ctx, key, intake.Accepted, intake.Irrelevant, intake.Ours, intake.Replayed)
	if err != nil {
		return
	}
	d.add(key, forges.Finding{
		Topic: "refused deliveries", Level: forges.Odd,
		Says: fmt.Sprintf("%.0f came with a missing or wrong signature since the service started, %.0f with a right one", unsigned-ignored, proven),
		Cure: "if they were the forge's, a webhook has another secret than the service: primum setup with --new-secret gives all of them a new one",
	})
}

// arrives counts the deliveries of a forge that the service accepted before and
// after one is asked for.
func (d *doctor) arrives(ctx context.Context, key string, send func() error) (bool, error) {
	before, err := d.accepted(ctx, key)
	if err != nil {
		return false, err
	}
	if err := send(); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, arriveFor)
	defer cancel()
	for tick := time.NewTicker(250 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return false, nil
		case <-tick.C:
		}
		if now, err := d.accepted(ctx, key); err == nil && now > before {
			tick.Stop()
			return true, nil
		}
	}
}

// accepted is how many deliveries of a forge were proven to be its own.
func (d *doctor) accepted(ctx context.Context, key string) (float64, error) {
	return d.counted(ctx, key, intake.Accepted, intake.Irrelevant, intake.Ours, intake.Replayed, intake.Ignored, intake.Malformed)
}

// counted reads off the metrics how many deliveries of a forge had an outcome.
func (d *doctor) counted(ctx context.Context, key string, outcomes ...string) (float64, error) {
	got, err := d.get(ctx, "/metrics")
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("%d", got.status)
	}
	if err != nil {
		return 0, &admin.Trouble{Says: "the service does not show its counts at " + d.config.PublicURL + "/metrics", Cure: "let doctor reach them, or leave out --deliver", Err: err}
	}
	sum := 0.0
	for lines := bufio.NewScanner(strings.NewReader(got.body)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), "} ")
		if !strings.HasPrefix(name, "primum_deliveries_total{") || !strings.Contains(name, `forge="`+key+`"`) ||
			!slices.ContainsFunc(outcomes, func(o string) bool { return strings.Contains(name, `outcome="`+o+`"`) }) {
			continue
		}
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			sum += n
		}
	}
	return sum, nil
}
