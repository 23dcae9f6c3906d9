package rules_test

import (
	"fmt"
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

// BenchmarkEvaluate judges compliant changes of several sizes by all rules; one
// file in ten is a test with a difference of its own. The digest of the facts is
// given, as Input allows.
func BenchmarkEvaluate(b *testing.B) {
	for _, files := range []int{3, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			c, p := ft.Compliant("C")
			grow(c, files)
			in := rules.Input{Change: c, Policy: p, Now: ft.Now(), FactsDigest: c.Digest()}
			if v := rules.Evaluate(in); v.State != rules.Pass {
				b.Fatal(v.Reason)
			}
			b.ReportAllocs()
			for b.Loop() {
				rules.Evaluate(in)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(files), "ns/file")
		})
	}
}

// grow adds files of the item dosing until there are n.
func grow(c *fact.Change, n int) {
	test := c.Files[2]
	for i := len(c.Files); i < n; i++ {
		if i%10 == 0 {
			f := test
			f.Path = fmt.Sprintf("tests/dosing/part%d/rate_test.c", i)
			c.Files = append(c.Files, f)
			continue
		}
		c.Files = append(c.Files, fact.File{
			Path: fmt.Sprintf("fw/dosing/part%d/rate%d.c", i%20, i), Status: fact.Modified, Added: 12, Removed: 4,
		})
	}
}
