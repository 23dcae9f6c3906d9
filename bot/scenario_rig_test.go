package bot_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"primum/bot"
	"primum/bot/intake"
	"primum/bot/store"
	"primum/bot/work"
	"primum/forges"
	"primum/forges/sim"
	"primum/forges/sim/simtest"
	"primum/rules"
	"primum/rules/fact"
)

// rig is the stage of a story: the simulated forge behind one of its faces, the
// real adapter, and the whole service on SQLite, all on one clock that stands
// still until the story moves it.
type rig struct {
	t         *testing.T
	forge     *sim.Forge
	face      face
	store     *store.DB
	bot       *bot.Service
	clock     *stepClock
	repo      string // present name
	candidate string // head of the newest merge queue candidate
}

// stepClock tells the story's time, in which asking takes a millisecond, and
// waits in real time.
type stepClock struct{ *simtest.Clock }

func (c stepClock) Now() time.Time {
	c.Advance(time.Millisecond)
	return c.Clock.Now()
}

func (stepClock) NewTimer(d time.Duration) *time.Timer {
	return time.NewTimer(d)
}

// never is the interval of the sweeps: stories ask for their own.
const never = 1000 * time.Hour

func newRig(t *testing.T, on string, files map[string]string) *rig {
	t.Helper()
	r := &rig{t: t, repo: repo}
	r.face = newFace(t, on)
	r.forge, r.clock = r.face.forge, &stepClock{r.face.clock}
	f := r.forge
	f.AddTeam("acme", "dev", "Development", "", "alex", "priya")
	f.AddTeam("acme", "verify", "Verification", "", "jonas")
	f.AddBot("robot", "Robot")
	f.AddApp("github-actions", "GitHub Actions", "alex")
	f.Install("github-actions", "acme", sim.InstallOptions{})
	f.AddRepo(repo, sim.RepoOptions{By: "alex", Files: files})
	owner := f.As("alex")
	for _, login := range []string{"priya", "jonas", "mara", "chen", "robot"} {
		if err := owner.Grant(repo, login, sim.Write); err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "primum.db"), r.clock, log)
	if err != nil {
		t.Fatal(err)
	}
	r.store = db
	r.bot, err = bot.New(bot.Options{
		Store: db, Forges: []forges.Forge{r.face.adapter}, Clock: r.clock, Log: log, Engine: "scenario", Owner: "scenario", Sweep: never,
		PublicURL: "https://primum.example", Intake: intake.Options{Settle: time.Millisecond},
		Work: work.Options{Poll: 20 * time.Millisecond}, // the story moves time, so look often
	})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(r.bot.Handler())
	r.face.setHook(web.URL + "/hooks/" + r.face.adapter.Key())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.bot.Run(ctx) }()
	t.Cleanup(func() {
		r.face.close()
		web.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	r.settle()
	return r
}

// settle waits until every delivery has come and nothing is left to judge.
func (r *rig) settle() {
	r.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for quiet := 0; quiet < 3; {
		if time.Now().After(deadline) {
			c, err := r.store.Counts(r.t.Context())
			r.t.Fatalf("the service does not come to rest: %+v, %v", c, err)
		}
		if err := r.face.drain(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
		c, err := r.store.Counts(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		switch {
		case c.Leased > 0 || c.Due > 0:
			quiet = 0
		case c.Waiting > 0: // waits for its time, so let time pass
			r.clock.Advance(time.Second)
			quiet = 0
		default:
			quiet++
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (r *rig) pass(d time.Duration) { r.clock.Advance(d) }

// next passes the time people take: to the next whole five minutes, so that
// what is dated, and with it the ids of commits, does not depend on how often
// the service asked for the time.
func (r *rig) next() {
	now := r.clock.Clock.Now()
	r.pass(now.Truncate(5 * time.Minute).Add(5 * time.Minute).Sub(now))
}

func (r *rig) lose(lost bool) {
	r.forge.SetFaults(func(f *sim.Faults) {
		f.LoseShare = 0
		if lost {
			f.LoseShare = 1
		}
	})
}

func (r *rig) sweep() {
	r.t.Helper()
	r.pass(time.Minute)
	if err := r.bot.Sweep(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) issue(n int) sim.Issue {
	r.t.Helper()
	is, ok := r.forge.Issue(r.repo, n)
	if !ok {
		r.t.Fatalf("there is no #%d", n)
	}
	return is
}

func (r *rig) head(n int) string { return r.issue(n).Change.Head }

// check is Primum's check on the head of a change: its conclusion ("pending"
// while it has none, "none" if there is no check) and its title.
func (r *rig) check(n int) (state, title string) { return r.checkOn(r.head(n)) }

func (r *rig) queueCheck() (state, title string) { return r.checkOn(r.candidate) }

func (r *rig) checkOn(sha string) (state, title string) {
	r.t.Helper()
	state = "none"
	if on := r.face.stands; on != nil {
		return on(sha)
	}
	for _, s := range r.forge.Statuses(r.repo, sha) {
		if s.Context == "primum" && r.face.name != onGitHub {
			return s.State, s.Description
		}
	}
	for _, c := range r.forge.Checks(r.repo, sha) {
		if c.Name != "primum" {
			continue
		}
		if state != "none" {
			r.t.Errorf("commit %s has two checks of Primum's", sha)
		}
		state, title = c.Conclusion, c.Title
		if state == "" {
			state = "pending"
		}
	}
	return state, title
}

// merge is whether the forge would merge a change now.
func (r *rig) merge(n int) string {
	if len(r.forge.Hinders(r.repo, n)) > 0 {
		return "refused"
	}
	return "allowed"
}

// record is what is kept of how a change ended: "open", "closed", "merged", or
// what is wrong with it.
func (r *rig) record(n int) string {
	r.t.Helper()
	repo, err := r.store.FindRepo(r.t.Context(), r.face.adapter.Key(), "acme", r.repo[len("acme/"):])
	if err != nil {
		r.t.Fatal(err)
	}
	k := store.Key{Forge: repo.Forge, RepoID: repo.ID, Kind: store.KindChange, Ref: strconv.Itoa(n)}
	sub, err := r.store.Subject(r.t.Context(), k)
	if err != nil {
		r.t.Fatal(err)
	}
	row, err := r.store.Verdict(r.t.Context(), sub.Verdict)
	if err != nil {
		r.t.Fatal(err)
	}
	var c fact.Change
	if err := json.Unmarshal(row.Facts, &c); err != nil {
		r.t.Fatal(err)
	}
	if is := r.issue(n); is.Change.Merged && c.MergedSHA != is.Change.MergeSHA {
		return "merged as " + c.MergedSHA + ", and it was " + is.Change.MergeSHA
	}
	var v rules.Verdict
	if err := json.Unmarshal(row.JSON, &v); err != nil {
		r.t.Fatal(err)
	}
	if slices.ContainsFunc(v.Notes, func(n rules.Note) bool { return n.Kind == rules.MergedPast }) {
		return string(c.State) + ", past its verdict"
	}
	return string(c.State)
}

func (r *rig) ours(n int) []sim.Comment {
	var out []sim.Comment
	for _, c := range r.forge.Comments(r.repo, n) {
		if c.Author == r.account(r.face.bot) {
			out = append(out, c)
		}
	}
	return out
}

func (r *rig) commentCount(n int) int { return len(r.ours(n)) }

// comment is the text of Primum's comment on a change.
func (r *rig) comment(n int) string {
	if ours := r.ours(n); len(ours) > 0 {
		return ours[len(ours)-1].Body
	}
	return ""
}

// commentOf is the id of somebody's newest comment.
func (r *rig) commentOf(n int, login string) int64 {
	r.t.Helper()
	if login == "primum[bot]" {
		if ours := r.ours(n); len(ours) > 0 {
			return ours[len(ours)-1].ID
		}
	}
	comments := r.forge.Comments(r.repo, n)
	for _, c := range slices.Backward(comments) {
		if c.Author == r.account(login) {
			return c.ID
		}
	}
	r.t.Fatalf("%s wrote no comment on #%d", login, n)
	return 0
}

// reviewOf is the id of somebody's newest review.
func (r *rig) reviewOf(n int, login string) int64 {
	r.t.Helper()
	reviews := r.issue(n).Change.Reviews
	for _, v := range slices.Backward(reviews) {
		if v.Author == r.account(login) {
			return v.ID
		}
	}
	r.t.Fatalf("%s gave no review on #%d", login, n)
	return 0
}

// account is the id behind a login.
func (r *rig) account(login string) (id int64) {
	r.t.Helper()
	r.forge.Read(func(v *sim.View) {
		if a := v.AccountByLogin(login); a != nil {
			id = a.ID
		}
	})
	if id == 0 {
		r.t.Fatalf("there is no account %s", login)
	}
	return id
}
