// Package intake takes deliveries in: it bounds the body, verifies the
// signature over the raw bytes, decodes, and stores the delivery together with
// the marks it leads to in one transaction. Only then it answers 202 (law 7);
// all else happens later, and without the sender waiting.
//
// A delivery that cannot change a verdict is kept as a line without its body,
// so that it is counted and known when it comes again, and costs no call.
package intake

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"primum/bot/clock"
	"primum/bot/store"
	"primum/forges"
)

// Defaults of Options.
const (
	// DefaultMaxBody is the largest delivery GitHub sends.
	DefaultMaxBody = 25 << 20
	// DefaultMemory bounds the bodies held at once: a thousand of 10 KB, or ten
	// of the largest.
	DefaultMemory = 256 << 20
	// DefaultSettle lets ten events of one second become two judgements.
	DefaultSettle = 1200 * time.Millisecond
	// DefaultWait is how long a delivery waits for memory: forges hang up after
	// ten seconds.
	DefaultWait = 8 * time.Second
	// storeTimeout bounds storing, whether or not the sender still listens.
	storeTimeout = 30 * time.Second
)

// Outcomes of a delivery, as told to Meter.
const (
	Accepted   = "accepted"
	Replayed   = "replayed"
	Ignored    = "ignored"    // nothing of ours
	Ours       = "ours"       // made by ourselves
	Irrelevant = "irrelevant" // cannot change a verdict
	Malformed  = "malformed"  // signed, but not readable
	Unsigned   = "unsigned"   // 401
	Refused    = "refused"    // no delivery at all: 400, 404, 405, 413, 415
	Busy       = "busy"       // 503, no memory in time
	Failed     = "failed"     // 503, not stored
)

// Meter counts deliveries by what became of them. forge is "" where the path
// names none of ours.
type Meter interface {
	Delivery(forge, outcome string)
}

// Options are what an Intake needs. Store, Forges, Clock and Log are required.
type Options struct {
	Store  store.Store
	Forges map[string]forges.Forge // by the last part of the path: /hooks/<key>
	Clock  clock.Clock
	Log    *slog.Logger
	Meter  Meter // nil if nobody counts
	// Relevant says whether a repository (or, with Name "", an owner) is served;
	// nil for all.
	Relevant func(forges.RepoRef) bool
	// Settle: zero for the default, negative for none.
	Settle  time.Duration
	MaxBody int64
	Memory  int64
	Wait    time.Duration
	// KeepDropped keeps the bodies of deliveries that mark nothing.
	KeepDropped bool
}

// Intake is the http.Handler of POST /hooks/{forge}.
type Intake struct {
	o      Options
	memory *semaphore.Weighted
}

// New makes an Intake.
func New(o Options) *Intake {
	if o.Settle == 0 {
		o.Settle = DefaultSettle
	}
	o.Settle = max(o.Settle, 0)
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Memory <= 0 {
		o.Memory = DefaultMemory
	}
	o.Memory = max(o.Memory, 2*o.MaxBody+firstChunk) // one of the largest must fit
	if o.Wait <= 0 {
		o.Wait = DefaultWait
	}
	if o.Meter == nil {
		o.Meter = nobody{}
	}
	if o.Relevant == nil {
		o.Relevant = func(forges.RepoRef) bool { return true }
	}
	return &Intake{o: o, memory: semaphore.NewWeighted(o.Memory)}
}

type nobody struct{}

func (nobody) Delivery(string, string) {}

// answer is how a delivery ends: what is counted, logged and said. The body is
// the same for every cause of one status, so that it tells a stranger nothing.
type answer struct {
	outcome string
	status  int
	said    string
	id      string
	marked  int
	detail  string // for the log: an event and its action, or why not
	err     error
}

// ServeHTTP implements http.Handler. The path ends in the forge's key, also
// where no pattern of http.ServeMux named it.
func (i *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("forge")
	if key == "" {
		key = r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	}
	forge, ok := i.o.Forges[key]
	if !ok {
		key = ""
	}
	a := i.take(w, r, forge)
	i.o.Meter.Delivery(key, a.outcome)
	i.note(r.Context(), key, a)
	i.reply(w, a)
}

// take carries a delivery through its stages.
func (i *Intake) take(w http.ResponseWriter, r *http.Request, forge forges.Forge) answer {
	if a, ok := admit(r, forge, i.o.MaxBody); !ok {
		return a
	}
	ctx, cancel := context.WithTimeout(r.Context(), i.o.Wait)
	defer cancel()
	slow := time.AfterFunc(i.o.Wait, func() {
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) // what cannot set one cannot hang
	})
	defer slow.Stop()
	body, release, err := i.read(ctx, r.Body)
	defer release()
	switch {
	case errors.Is(err, errTooLarge):
		return answer{outcome: Refused, status: http.StatusRequestEntityTooLarge, said: "body too large"}
	case errors.Is(err, errNoMemory):
		return answer{outcome: Busy, status: http.StatusServiceUnavailable, said: "busy, try again"}
	case err != nil:
		return answer{outcome: Refused, status: http.StatusBadRequest, said: "body could not be read", err: err}
	}
	delivery, err := forge.Verify(r.Header, body)
	switch {
	case errors.Is(err, forges.ErrSignature):
		return answer{outcome: Unsigned, status: http.StatusUnauthorized, said: "signature missing or wrong"}
	case err != nil:
		return answer{outcome: Refused, status: http.StatusBadRequest, said: "no delivery of this forge", err: err}
	}
	return i.accept(r, forge, delivery)
}

// admit refuses what is no delivery before a byte of it is read.
func admit(r *http.Request, forge forges.Forge, maxBody int64) (answer, bool) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case forge == nil:
		return answer{outcome: Refused, status: http.StatusNotFound, said: "no such forge"}, false
	case r.Method != http.MethodPost:
		return answer{outcome: Refused, status: http.StatusMethodNotAllowed, said: "POST only"}, false
	case err != nil || kind != "application/json":
		return answer{outcome: Refused, status: http.StatusUnsupportedMediaType, said: "content type must be application/json; set it in the webhook"}, false
	case r.ContentLength > maxBody:
		return answer{outcome: Refused, status: http.StatusRequestEntityTooLarge, said: "body too large"}, false
	}
	return answer{}, true
}

// accept stores a verified delivery.
func (i *Intake) accept(r *http.Request, forge forges.Forge, d forges.Delivery) answer {
	// The sender may hang up; what it sent is stored all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), storeTimeout)
	defer cancel()
	in := i.inbound(ctx, forge, d)
	in.Forge, in.ID, in.Event = d.Forge, d.ID, d.Event
	in.Header, in.ReceivedAt = kept(d.Header), i.o.Clock.Now()
	if in.Dropped == "" || i.o.KeepDropped || strings.HasPrefix(in.Dropped, Malformed) {
		in.Body = d.Body
	}
	a := answer{outcome: outcome(in.Dropped), status: http.StatusAccepted, id: d.ID, detail: in.Action}
	if in.Dropped != "" {
		a.detail = in.Dropped
	}
	fresh, marked, err := i.o.Store.Accept(ctx, in)
	switch {
	case err != nil:
		return answer{outcome: Failed, status: http.StatusServiceUnavailable, said: "not stored, try again", id: d.ID, err: err}
	case !fresh:
		a.outcome = Replayed
	}
	a.marked = marked
	return a
}

// inbound decodes a delivery and says what it leads to.
func (i *Intake) inbound(ctx context.Context, forge forges.Forge, d forges.Delivery) store.Inbound {
	e, err := forge.Decode(d)
	if err != nil {
		return store.Inbound{Dropped: Malformed + ": " + err.Error()}
	}
	if e.Repo.Forge == "" {
		e.Repo.Forge = forge.Key()
	}
	if why := i.outside(&e); why != "" {
		return store.Inbound{Action: e.Action, Dropped: why}
	}
	known := Known{Now: i.o.Clock.Now(), Settle: i.o.Settle}
	if e.Kind == forges.PushEvent && e.Paths != nil {
		known.Files = i.files(ctx, e.Repo)
	}
	return Plan(e, known)
}

// outside says why an event is about nothing we serve; of several repositories
// it leaves those that are served.
func (i *Intake) outside(e *forges.Event) string {
	const why = "irrelevant: the repository is not among those served"
	switch e.Kind {
	case forges.Ignored:
		return ""
	case forges.InstallationEvent:
		served := e.Repos[:0:0]
		for _, r := range e.Repos {
			if i.o.Relevant(r) {
				served = append(served, r)
			}
		}
		if len(e.Repos) > 0 && len(served) == 0 {
			return why
		}
		e.Repos = served
	case forges.PeopleEvent:
		if !i.o.Relevant(forges.RepoRef{Forge: e.Repo.Forge, Owner: e.Owner}) {
			return why
		}
	default:
		if !i.o.Relevant(e.Repo) {
			return why
		}
	}
	return ""
}

// files are the paths the repository's last policy named. Without them only the
// policy file itself counts: then no policy has named any.
func (i *Intake) files(ctx context.Context, r forges.RepoRef) []string {
	row, err := i.o.Store.Repo(ctx, r.Forge, r.ID)
	if err != nil || len(row.Policy) == 0 {
		return nil
	}
	var hints struct {
		Files []string `json:"files"`
	}
	if err := json.Unmarshal(row.Policy, &hints); err != nil {
		return []string{"**"} // not to be read: every path may count
	}
	return hints.Files
}

// outcome is the word counted for a reason to drop.
func outcome(dropped string) string {
	if dropped == "" {
		return Accepted
	}
	word, _, _ := strings.Cut(dropped, ":")
	return word
}

// note writes the one line per delivery.
func (i *Intake) note(ctx context.Context, forge string, a answer) {
	level := slog.LevelInfo
	switch a.outcome {
	case Ignored, Ours, Irrelevant:
		level = slog.LevelDebug
	case Failed, Busy:
		level = slog.LevelError
	case Unsigned, Malformed, Refused:
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		slog.String("forge", forge), slog.String("delivery_id", a.id), slog.String("outcome", a.outcome),
		slog.Int("status", a.status), slog.Int("marked", a.marked), slog.String("detail", a.detail),
	}
	if a.err != nil {
		attrs = append(attrs, slog.String("error", a.err.Error()))
	}
	i.o.Log.LogAttrs(ctx, level, "delivery", attrs...)
}

// receipt is the body of a 202.
type receipt struct {
	Delivery string `json:"delivery"`
	Outcome  string `json:"outcome"`
	Marked   int    `json:"marked"`
}

func (i *Intake) reply(w http.ResponseWriter, a answer) {
	switch a.status {
	case http.StatusAccepted:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_ = json.NewEncoder(w).Encode(receipt{a.id, a.outcome, a.marked}) // stored, whoever listens
		return
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	}
	http.Error(w, a.said, a.status)
}

// headerMax bounds one kept header value, in bytes.
const headerMax = 200

// kept are the headers of a delivery worth keeping: what the forge says about
// it, without signature or token.
func kept(h http.Header) map[string]string {
	out := map[string]string{}
	for name, values := range h {
		name = http.CanonicalHeaderKey(name)
		for _, prefix := range []string{"X-Github-", "X-Gitlab-", "X-Gitea-", "X-Forgejo-"} {
			if strings.HasPrefix(name, prefix) && !strings.Contains(name, "Signature") && !strings.Contains(name, "Token") &&
				len(values) > 0 && len(values[0]) <= headerMax {
				out[name] = values[0]
			}
		}
	}
	return out
}
