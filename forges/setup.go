package forges

import "context"

// Wanted is what "primum setup" is to bring about.
type Wanted struct {
	HookURL string   // where deliveries go
	Secret  string   // their secret
	Check   string   // name of the required check
	Repos   []string // "owner/name"
	Owners  []string // organisations or groups whose repositories are all meant
	// Branches are protected by requiring the check; the default branch if empty.
	Branches []string
	// Way is how a verdict is to block where there are several; "" for the best
	// that is to be had.
	Way string
}

// Step is one thing setup does. It is said before it is done, and done only if
// it is not so already.
type Step struct {
	Says string // "add a webhook to acme that sends to https://primum.example/hooks/gitea"
	Done bool   // it is so already
	// Do does it; nil where only a person can, and Cure then says how.
	Do   func(context.Context) error
	Cure string
	// Alone says that no later step needs this one: where it fails, the rest is
	// still done.
	Alone bool
}

// Level says how bad a finding of "primum doctor" is.
type Level string

// Levels. A Bad finding makes doctor's exit status 1.
const (
	Good Level = "ok"
	Odd  Level = "warn"
	Bad  Level = "bad"
)

// Finding is one thing doctor looked at.
type Finding struct {
	Topic string // "webhook of acme/pump", "clock", "required check on main"
	Level Level
	Says  string // state, and cause if known
	Cure  string // of anything but Good
}
