package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"primum/bot/clock"
	"primum/bot/judge"
	"primum/bot/publish"
	"primum/bot/store"
	"primum/forges"
	"primum/forges/github"
	"primum/rules"
)

// remote is one change on a forge, to be judged without a server.
type remote struct {
	forge, repo string
	number      int
	token       string
	api         string
	post        bool
	engine      string
	trace       io.Writer // for warnings of the parts that log
}

// judge reads and judges the change down the same path as the service does,
// with a store that lives as long as the call. Commands that were edited
// before this call saw them are not obeyed: nobody remembers what they said.
func (r remote) judge(ctx context.Context) (*rules.Verdict, error) {
	log := slog.New(slog.NewTextHandler(r.trace, &slog.HandlerOptions{Level: slog.LevelWarn}))
	forge, err := r.open(log)
	if err != nil {
		return nil, err
	}
	return judgeOnce(ctx, forge, r, log)
}

// open makes the forge.
func (r remote) open(log *slog.Logger) (forges.Forge, error) {
	if r.forge != "github" {
		return nil, fmt.Errorf("%w: --forge %q is not known; github is", errUsage, r.forge)
	}
	f, err := github.New(github.Config{
		Token: r.token, Repo: r.repo, NoWebhooks: true, BaseURL: r.api, Now: clock.System{}.Now, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return f, nil
}

func judgeOnce(ctx context.Context, forge forges.Forge, r remote, log *slog.Logger) (*rules.Verdict, error) {
	owner, name, _ := strings.Cut(r.repo, "/")
	db, err := store.Open(ctx, ":memory:", clock.System{}, log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }() // in memory: nothing is lost
	k := store.Key{Forge: forge.Key(), RepoID: r.repo, Kind: store.KindChange, Ref: strconv.Itoa(r.number)}
	if err := db.PutRepo(ctx, store.RepoRow{Forge: k.Forge, ID: k.RepoID, Owner: owner, Name: name}); err != nil {
		return nil, err
	}
	if _, err := db.Mark(ctx, []store.Mark{{Key: k, Reason: "check"}}, nil); err != nil {
		return nil, err
	}
	claims, err := db.Claim(ctx, "check", time.Hour, 1)
	if err != nil || len(claims) == 0 {
		return nil, fmt.Errorf("claim change %d: %w", r.number, err)
	}
	j := judge.New(judge.Options{
		Store: db, Forges: []forges.Forge{forge}, Clock: clock.System{}, Log: log, Engine: r.engine,
		Publish: publish.New(publish.Options{Store: db, Clock: clock.System{}, Log: log, Silent: !r.post}),
	})
	_, judgeErr := j.Subject(ctx, &claims[0])
	v, err := newest(ctx, db, k)
	if err != nil {
		if judgeErr != nil {
			return nil, judgeErr
		}
		return nil, err
	}
	return v, judgeErr // a verdict that was reached is shown, posted or not
}

// newest is the newest verdict of a subject.
func newest(ctx context.Context, s store.Store, k store.Key) (*rules.Verdict, error) {
	sub, err := s.Subject(ctx, k)
	if err != nil {
		return nil, err
	}
	row, err := s.Verdict(ctx, sub.Verdict)
	if err != nil {
		return nil, fmt.Errorf("the change has no verdict: %w", err)
	}
	var v rules.Verdict
	if err := json.Unmarshal(row.JSON, &v); err != nil {
		return nil, fmt.Errorf("read verdict: %w", err)
	}
	return &v, nil
}

// fromActions fills in what GitHub Actions says of the run, where the command
// line does not.
func (r *remote) fromActions(env func(string) string) {
	if r.repo == "" {
		r.repo = env("GITHUB_REPOSITORY")
	}
	if r.api == "" {
		if api := env("GITHUB_API_URL"); api != "https://api.github.com" {
			r.api = api
		}
	}
	if r.number == 0 {
		r.number = eventNumber(env("GITHUB_EVENT_PATH"))
	}
	if r.number == 0 { // refs/pull/12/merge
		parts := strings.Split(env("GITHUB_REF"), "/")
		if len(parts) == 4 && parts[1] == "pull" {
			r.number, _ = strconv.Atoi(parts[2])
		}
	}
}

// eventNumber is the number of the change an Actions event is about; 0 if none.
func eventNumber(path string) int {
	if path == "" {
		return 0
	}
	raw, err := os.ReadFile(path) //nolint:gosec // the path comes from the runner
	if err != nil {
		return 0
	}
	var e struct {
		Pull struct {
			Number int `json:"number"`
		} `json:"pull_request"`
		Issue struct {
			Number int             `json:"number"`
			Pull   json.RawMessage `json:"pull_request"`
		} `json:"issue"`
	}
	if json.Unmarshal(raw, &e) != nil {
		return 0
	}
	if e.Pull.Number == 0 && len(e.Issue.Pull) > 0 {
		return e.Issue.Number
	}
	return e.Pull.Number
}
