package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"primum/bot/config"
)

var variable = regexp.MustCompile(`PRIMUM_[A-Z_]+`)

// Every variable that the files of deployment name is a setting, and every
// required one is named.
func TestDeploymentNamesRealSettings(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	var required []string
	for _, s := range config.Settings() {
		known[s.Variable] = true
		known[s.Variable+"_FILE"] = s.Secret
		if s.Required && s.Forge == "GitHub" { // what compose is set up for
			required = append(required, s.Variable)
		}
	}
	var all strings.Builder
	for _, name := range []string{"Dockerfile", "deploy/compose/compose.yml", "deploy/compose/primum.env.example"} {
		raw, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range variable.FindAllString(string(raw), -1) {
			if !known[v] {
				t.Errorf("%s: %s is no setting", name, v)
			}
		}
		all.Write(raw)
	}
	for _, v := range required {
		if !strings.Contains(all.String(), v) {
			t.Errorf("no file of deployment sets %s, which is required", v)
		}
	}
}
