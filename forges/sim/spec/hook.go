package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// loadHooks reads the description of webhooks once per process.
var loadHooks = sync.OnceValues(func() (*document, error) { //nolint:gochecknoglobals // constant once read
	raw, err := hooks().read()
	if err != nil {
		return nil, err
	}
	return parse(raw, false)
})

// checkHook holds a delivery against the description.
func checkHook(d *document, event string, header http.Header, body []byte) error {
	var in struct {
		Action string `json:"action"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return fmt.Errorf("%s: %w", event, err)
	}
	name := strings.ReplaceAll(event, "_", "-")
	if in.Action != "" {
		name += "-" + strings.ReplaceAll(in.Action, "_", "-")
	}
	v, _ := d.at("webhooks", name, "post")
	post, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("GitHub sends no %s", name)
	}
	var problems []error
	params, _ := post["parameters"].([]any)
	for _, p := range params {
		param, _ := p.(map[string]any)
		key, _ := param["name"].(string)
		if must, _ := param["required"].(bool); must && header.Get(key) == "" {
			problems = append(problems, fmt.Errorf("%s: header %s is missing", name, key))
		}
	}
	_, pointer := d.at("webhooks", name, "post", "requestBody", "content", "application/json", "schema")
	if err := d.check(pointer, body); err != nil {
		problems = append(problems, fmt.Errorf("%s: %w", name, err))
	}
	return errors.Join(problems...)
}
