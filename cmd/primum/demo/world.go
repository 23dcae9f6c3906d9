package demo

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"primum/forges/sim"
)

// The one repository of the demonstration, and the apps there.
const (
	org    = "acme"
	repo   = "acme/infusion-pump"
	app    = "primum"
	ci     = "ci"
	branch = "main"
)

//go:embed world/main.txtar
var mainFiles []byte

//go:embed world/issues.txtar
var issueTexts []byte

// member is one of the people a newcomer can act as.
type member struct {
	Login, Name, Does string
}

func members() []member {
	return []member{
		{"jonas", "Jonas Berg", "developer"},
		{"sam", "Sam Okoro", "developer"},
		{"priya", "Priya Nair", "verification"},
		{"mara", "Mara Lind", "risk"},
		{"chen", "Chen Wu", "quality"},
		{"alex", "Alex Roth", "owner of acme, no role"},
	}
}

// try is what a newcomer may want to do with a change.
type try struct {
	As   string
	What string
}

// world is the forge as it stands when the demonstration begins.
type world struct {
	forge *sim.Forge
	scene scene
	cast  *player
	told  sync.Mutex // guards at and live: a face asks for the time on its own
	at    time.Time  // the forge's clock while the past is told
	live  bool
	texts map[string]string
	tries map[int]try
	err   error // the first thing that was refused
}

// now is the forge's clock: the past while it is told, then the machine's.
func (w *world) now() time.Time {
	w.told.Lock()
	defer w.told.Unlock()
	if w.live {
		return time.Now().UTC()
	}
	return w.at
}

// newWorld tells the past of the repository, ending a little before now. Cast
// gives the forge its face before anything happens in it: the face makes it
// decide as its kind does.
func newWorld(now time.Time, sc scene, cast func(*sim.Forge) (*player, error)) (*world, error) {
	w := &world{scene: sc, at: now.Add(-9 * 24 * time.Hour).Truncate(time.Minute), texts: map[string]string{}, tries: map[int]try{}}
	for _, f := range txtar.Parse(issueTexts).Files {
		w.texts[f.Name] = string(f.Data)
	}
	w.forge = sim.New(sim.Options{Now: w.now})
	var err error
	if w.cast, err = cast(w.forge); err != nil {
		return nil, err
	}
	w.people()
	w.repository()
	w.past()
	w.told.Lock()
	w.live = true
	w.told.Unlock()
	if w.err != nil {
		w.cast.face.Close()
		return nil, fmt.Errorf("set the demonstration up: %w", w.err)
	}
	return w, nil
}

// later moves the past on.
func (w *world) later(d time.Duration) {
	w.told.Lock()
	defer w.told.Unlock()
	w.at = w.at.Add(d)
}

func (w *world) check(err error) {
	if err != nil && w.err == nil {
		w.err = err
	}
}

func (w *world) people() {
	f := w.forge
	for _, m := range members() {
		f.AddUser(m.Login, m.Name)
	}
	f.AddOrg(org, "Acme Infusion", "alex")
	f.Join(org, false, "jonas", "sam", "priya", "mara", "chen")
	f.AddTeam(org, "firmware", "Firmware", "", "jonas", "sam")
	f.AddTeam(org, "test", "Test", "", "priya")
	f.AddTeam(org, "product", "Product", "", "mara", "chen")
	w.cast.join(w)
	f.AddApp(ci, "Continuous Integration", org)
	f.Install(ci, org, sim.InstallOptions{})
}

func (w *world) repository() {
	files := map[string]string{}
	for _, f := range txtar.Parse(mainFiles).Files {
		files[f.Name] = string(f.Data)
	}
	w.forge.AddRepo(repo, sim.RepoOptions{Description: "Large volume infusion pump", Files: files, By: "alex"})
	alex := w.forge.As("alex")
	for _, team := range []string{"firmware", "test", "product"} {
		w.check(alex.GrantTeam(repo, team, sim.Write))
	}
	for label, colour := range map[string]string{"bug": "d73a4a", "change-request": "0e8a16"} {
		w.check(alex.AddLabel(repo, label, colour))
	}
	if w.cast.settle == nil { // the branch asks for the check
		w.check(alex.Protect(repo, branch, &sim.Protection{Checks: []sim.RequiredCheck{{Name: "primum"}}, EnforceAdmins: true}))
	}
}

// issue opens an issue from one of the texts.
func (w *world) issue(by, text, label string) int {
	title, body, _ := strings.Cut(w.texts[text], "\n")
	n, err := w.forge.As(by).OpenIssue(repo, strings.TrimPrefix(title, "Title: "), strings.TrimSpace(body)+"\n", label)
	w.check(err)
	w.later(11 * time.Minute)
	return n
}

// request opens a change request that chen approves three hours later.
func (w *world) request(by, text string) int {
	n := w.issue(by, text, "change-request")
	w.later(3 * time.Hour)
	_, err := w.forge.As("chen").Comment(repo, n, "/primum approve")
	w.check(err)
	return n
}

// edit replaces text in a file of main; a missing text is a mistake in the
// world.
func (w *world) edit(path, old, new string) string {
	text, ok := w.forge.File(repo, branch, path)
	if !ok || !strings.Contains(text, old) {
		w.check(fmt.Errorf("%s does not hold %q", path, old))
	}
	return strings.Replace(text, old, new, 1)
}

// signed is a commit with a signature the forge found valid.
func signed(message string, files map[string]string) sim.NewCommit {
	return sim.NewCommit{Message: message, Files: files, Signature: sim.Signature{Present: true, Valid: true, Reason: "valid"}}
}

// open pushes a branch and opens a change.
func (w *world) open(by, name, title, body string, files map[string]string) int {
	_, err := w.forge.As(by).Push(repo, name, signed(title, files))
	w.check(err)
	w.later(4 * time.Minute)
	n, err := w.forge.As(by).OpenChange(repo, sim.NewChange{Title: title, Body: body, Head: name, Base: branch})
	w.check(err)
	w.later(6 * time.Minute)
	return n
}

// report sets checks of CI on a change's head.
func (w *world) report(n int, conclusion string, names ...string) {
	is, _ := w.forge.Issue(repo, n)
	for _, name := range names {
		run := sim.CheckRun{Name: name, SHA: is.Change.Head, Status: "in_progress"}
		if conclusion != "" {
			run.Status, run.Conclusion = "completed", conclusion
		}
		_, err := w.forge.AsApp(ci).CreateCheck(repo, run)
		w.check(err)
	}
	w.later(9 * time.Minute)
}

func (w *world) approve(n int, who, body string) {
	w.check(w.scene.approve(w.forge.As(who), n, body))
	w.later(35 * time.Minute)
}

// past is what happened in the repository so far: ten changes in ten states.
func (w *world) past() {
	ramp, door := w.issue("priya", "anomaly-ramp", "bug"), w.issue("priya", "anomaly-door", "bug")
	rampCR := w.request("jonas", "cr-ramp")
	linkCR := w.request("sam", "cr-link")
	digitsCR := w.request("sam", "cr-digits")
	toneCR := w.request("sam", "cr-tone")
	airCR := w.request("jonas", "cr-air")
	doorCR := w.request("sam", "cr-door")

	w.later(26 * time.Hour)
	w.ready(rampCR, ramp)
	w.later(5 * time.Hour)
	w.missingRequest()
	w.later(17 * time.Hour)
	w.stale(linkCR)
	w.selfApproved(digitsCR)
	w.later(24 * time.Hour)
	w.unanswered(toneCR)
	w.waiting(airCR)
	w.later(9 * time.Hour)
	w.weaker()
	w.documents()
	w.later(20 * time.Hour)
	w.mixed(digitsCR)
	w.waiver(doorCR, door)
	if w.scene.again {
		w.later(2 * time.Hour)
		for _, n := range []int{rampCR, linkCR, digitsCR, toneCR, airCR, doorCR} {
			_, err := w.forge.As("chen").Comment(repo, n, "/primum approve")
			w.check(err)
		}
	}
}
