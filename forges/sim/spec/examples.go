package spec

import (
	"encoding/json"
	"sync"
	"testing"
)

// Example is one real payload, as GitHub publishes it.
type Example struct {
	Event string
	Body  []byte
}

// loadExamples reads the examples once per process.
var loadExamples = sync.OnceValues(func() ([]Example, error) { //nolint:gochecknoglobals // constant once read
	raw, err := examples().read()
	if err != nil {
		return nil, err
	}
	var events []struct {
		Name     string            `json:"name"`
		Examples []json.RawMessage `json:"examples"`
	}
	if err := json.Unmarshal(raw, &events); err != nil {
		return nil, err
	}
	var out []Example
	for _, e := range events {
		for _, body := range e.Examples {
			out = append(out, Example{Event: e.Name, Body: body})
		}
	}
	return out, nil
})

// Examples gives the 329 payloads of @octokit/webhooks-examples. A test that
// cannot have them is skipped, or fails where CI=true.
func Examples(tb testing.TB) []Example {
	tb.Helper()
	all, err := loadExamples()
	if err != nil {
		missing(tb, err)
	}
	return all
}
