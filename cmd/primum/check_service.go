package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"primum/bot/clock"
	"primum/bot/report"
	"primum/forges"
	"primum/forges/wire"
	"primum/rules"
	"primum/rules/policy"
)

// runService asks a running Primum for the verdict on a commit.
func (o *checkOptions) runService(ctx context.Context, out io.Writer, env func(string) string) (int, error) {
	r := o.remote
	key := r.forge // an instance may have any key there; the job says of what kind it is
	r.forge = ""
	r.complete(env)
	if key == "" {
		key = r.forge
	}
	if strings.Count(r.repo, "/") > 1 {
		r.forge = "gitlab"
	}
	if err := r.named(); err != nil {
		return exitUsage, err
	}
	base, err := wire.Base(o.service)
	if err != nil {
		return exitUsage, usage("--service: %w", err)
	}
	a := &asking{
		base: base, forge: key, repo: r.repo, number: r.number, commit: o.commit, key: strings.TrimSpace(env("PRIMUM_PAGES_KEY")),
		wait: o.wait, every: 2 * time.Second, trace: r.trace,
	}
	if a.commit == "" {
		a.commit = commitOf(env)
	}
	if len(a.commit) < 7 {
		return exitUsage, usage("which commit is the verdict to be about? give --commit with its SHA")
	}
	under, err := wire.Transport(wire.Options{CAFile: r.ca})
	if err != nil {
		return exitUsage, usage("--ca-file: %w", err)
	}
	a.client = &http.Client{Transport: under, Timeout: 10 * time.Second, CheckRedirect: stay}
	v, err := a.verdict(ctx)
	if err != nil {
		return exitFailure, err
	}
	if err := writeVerdict(out, o.format, v); err != nil {
		return exitFailure, err
	}
	if o.format == "text" {
		if _, err := fmt.Fprintf(out, "\n%s\n", strings.TrimSuffix(a.page(), ".json")); err != nil {
			return exitFailure, err
		}
	}
	if blocks(v) {
		return exitFindings, nil
	}
	return exitCompliant, nil
}

// blocks reports whether the service's check on the change blocks it.
func blocks(v *rules.Verdict) bool {
	if v.Mode == policy.Observe {
		return false // nothing is put on the change
	}
	s := report.Check(v, report.Options{}).State
	return s != forges.ReportSuccess && s != forges.ReportNeutral
}

// stay keeps calls where they were sent: the access key goes with one of them.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// asking is one question to a running Primum, put until it has its answer.
type asking struct {
	base   *url.URL
	forge  string // its key there
	repo   string
	number int
	commit string // at least the begin of it
	key    string // access key of the pages, "" for none
	wait   time.Duration
	every  time.Duration // between two questions at first
	client *http.Client
	trace  io.Writer

	session string // cookie, once the key opened one
}

// errNotYet says that asking again later may help.
var errNotYet = errors.New("no verdict yet")

// verdict gives the verdict on the commit once it does not wait for anything,
// or the one that stands when the time is up. An error means that there is none
// on the commit, or that the service does not answer.
func (a *asking) verdict(ctx context.Context) (*rules.Verdict, error) {
	now := clock.System{}.Now
	until := now().Add(a.wait)
	pause := a.every
	for said := false; ; said = true {
		v, again, err := a.ask(ctx)
		settled := v != nil && v.State != rules.Pending && v.State != rules.Unknown
		switch {
		case err == nil && settled:
			return v, nil
		case err != nil && !errors.Is(err, errNotYet):
			return nil, err
		}
		hold := max(pause, again)
		if now().Add(hold).After(until) {
			return v, err
		}
		if !said && a.trace != nil {
			_, _ = fmt.Fprintf(a.trace, "waiting up to %s for the verdict on %s\n", a.wait, shortSHA(a.commit))
		}
		timer := time.NewTimer(hold)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
		pause = min(pause*3/2, 5*a.every)
	}
}

// page is the address of the verdict.
func (a *asking) page() string {
	parts := []string{"c", a.forge}
	parts = append(parts, strings.Split(a.repo, "/")...)
	return a.base.JoinPath(append(parts, strconv.Itoa(a.number)+".json")...).String()
}

// ask puts the question once. The error is errNotYet where asking later may
// help, after again if the service named a time.
func (a *asking) ask(ctx context.Context) (v *rules.Verdict, again time.Duration, err error) {
	status, header, body, err := a.call(ctx, http.MethodGet, a.page(), nil)
	if err == nil && status == http.StatusNotFound && a.key != "" && a.session == "" {
		if again, err := a.login(ctx); err != nil {
			return nil, again, err
		}
		status, header, body, err = a.call(ctx, http.MethodGet, a.page(), nil)
	}
	switch {
	case err != nil:
		return nil, 0, err
	case status == http.StatusOK:
		v, err = a.read(body)
		return v, 0, err
	case status == http.StatusNotFound && a.key == "":
		return nil, 0, a.notYet("it has none of %s, or does not show it; put the service's PRIMUM_PAGES_KEY into the variable of that name if the repository is private", a.change())
	case status == http.StatusNotFound:
		return nil, 0, a.notYet("it has none of %s; look at its log whether the webhook arrived and the repository is served", a.change())
	default:
		return nil, retryAfter(header), a.refused(status, header)
	}
}

// read takes a verdict and looks whether it is the one asked for.
func (a *asking) read(body []byte) (*rules.Verdict, error) {
	v := &rules.Verdict{}
	if err := json.Unmarshal(body, v); err != nil || v.Schema != rules.VerdictSchema {
		return nil, fmt.Errorf("%s answers, and not with a verdict; is --service the address Primum is reached at?", a.base)
	}
	if !strings.EqualFold(v.Subject.Repo, a.repo) || v.Subject.Change != a.number {
		return nil, fmt.Errorf("%s answers with the verdict on %s %d instead of %s", a.base, v.Subject.Repo, v.Subject.Change, a.change())
	}
	if v.Subject.Head == "" || !strings.HasPrefix(v.Subject.Head, strings.ToLower(a.commit)) {
		return nil, a.notYet("its newest on %s is about the commit %s and not %s; if that one is newer, run the job of the newest commit",
			a.change(), shortSHA(v.Subject.Head), shortSHA(a.commit))
	}
	return v, nil
}

func (a *asking) change() string { return fmt.Sprintf("change %d of %s", a.number, a.repo) }

func (a *asking) notYet(format string, args ...any) error {
	return fmt.Errorf("ask Primum at %s: %w: %s", a.base, errNotYet, fmt.Sprintf(format, args...))
}

// refused says what an answer means that is no verdict.
func (a *asking) refused(status int, header http.Header) error {
	switch {
	case status >= 300 && status < 400:
		to, _, _ := strings.Cut(header.Get("Location"), "?")
		return fmt.Errorf("%s redirects to %s, which is not followed; give --service the address Primum itself is reached at", a.base, wire.Short(wire.Redact(to), 200))
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		return a.notYet("it answers %d", status)
	default:
		return fmt.Errorf("%s answers %d; is --service the address Primum is reached at?", a.base, status)
	}
}

// login opens a session with the access key.
func (a *asking) login(ctx context.Context) (again time.Duration, err error) {
	form := url.Values{"key": {a.key}}
	status, header, _, err := a.call(ctx, http.MethodPost, a.base.JoinPath("login").String(), []byte(form.Encode()))
	if err != nil {
		return 0, err
	}
	for _, c := range (&http.Response{Header: header}).Cookies() {
		if status == http.StatusSeeOther && c.Value != "" {
			a.session = c.Name + "=" + c.Value
		}
	}
	switch {
	case a.session != "":
		return 0, nil
	case status == http.StatusForbidden:
		return 0, fmt.Errorf("%s refuses the access key; PRIMUM_PAGES_KEY here and there differ", a.base)
	case status == http.StatusNotFound:
		return 0, fmt.Errorf("%s has no access key; set PRIMUM_PAGES_KEY there as well", a.base)
	default:
		return retryAfter(header), a.refused(status, header)
	}
}

// answerMax bounds what of an answer is read, in bytes.
const answerMax = 16 << 20

// call makes one call. Whatever keeps the service from answering may pass.
func (a *asking) call(ctx context.Context, method, to string, form []byte) (status int, h http.Header, body []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(form))
	if err != nil {
		return 0, nil, nil, err
	}
	r.Header.Set("User-Agent", "primum")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if a.session != "" {
		// By hand: the service is often reached over plain HTTP inside, and its
		// cookies are for HTTPS only.
		r.Header.Set("Cookie", a.session)
	}
	answer, err := a.client.Do(r)
	if err == nil {
		defer func() { _ = answer.Body.Close() }()
		body, err = io.ReadAll(io.LimitReader(answer.Body, answerMax))
	}
	switch {
	case ctx.Err() != nil:
		return 0, nil, nil, ctx.Err()
	case err != nil:
		return 0, nil, nil, a.notYet("it does not answer (%s)", wire.Redact(cause(err).Error()))
	}
	return answer.StatusCode, answer.Header, body, nil
}

// cause is an error of the client without the address, which is said already.
func cause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// retryAfter is what the service asks for, at most a minute.
func retryAfter(h http.Header) time.Duration {
	now := clock.System{}.Now()
	at, named := wire.RetryAfter(h, now)
	if !named {
		return 0
	}
	return min(at.Sub(now), time.Minute)
}
