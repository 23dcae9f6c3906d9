package github_test

import (
	"os"
	"testing"

	"primum/forges/github"
)

// BenchmarkVerifyAndDecode is what intake does with a delivery besides storing it.
func BenchmarkVerifyAndDecode(b *testing.B) {
	body, err := os.ReadFile("testdata/events/pull_request.opened.json")
	if err != nil {
		b.Fatal(err)
	}
	f, err := github.New(github.Config{Token: "x", Secrets: []string{secret}, Now: newClock().Now})
	if err != nil {
		b.Fatal(err)
	}
	h := headers("pull_request", secret, body)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		d, err := f.Verify(h, body)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Decode(d); err != nil {
			b.Fatal(err)
		}
	}
}
