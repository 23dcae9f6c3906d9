package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Setting describes one variable.
type Setting struct {
	Variable string
	Doc      string
	Default  string // "" for none, or one that depends on other things and is told in Doc
	Example  string
	Forge    string // "GitHub": the forge it is a setting of; "" for the service's own
	Required bool   // of a forge: needed once one of the forge's is set
	Secret   bool   // may be given as a file, in Variable_FILE

	field, kind string
}

// Settings lists every variable in the order of the documentation.
func Settings() []Setting {
	var out []Setting
	for f := range reflect.TypeFor[Config]().Fields() {
		if f.Name != "Forges" {
			out = append(out, settingOf(f, Prefix, "")...)
			continue
		}
		for _, k := range kinds() {
			out = append(out, settings(k.settings, prefixOf(string(k.Kind)), k.product)...)
		}
	}
	return out
}

// settings are those of a struct's fields.
func settings(t reflect.Type, prefix, forge string) []Setting {
	var out []Setting
	for f := range t.Fields() {
		out = append(out, settingOf(f, prefix, forge)...)
	}
	return out
}

func settingOf(f reflect.StructField, prefix, forge string) []Setting {
	if f.Anonymous {
		return settings(f.Type, prefix, forge)
	}
	tag, ok := f.Tag.Lookup("env")
	name, _, _ := strings.Cut(tag, ",")
	if !ok || name == "-" {
		return nil
	}
	return []Setting{{
		Variable: prefix + name, Doc: f.Tag.Get("doc"), Default: f.Tag.Get("envDefault"), Example: f.Tag.Get("eg"), Forge: forge,
		Required: f.Tag.Get("need") == "true", Secret: f.Tag.Get("secret") == "true", field: f.Name, kind: kindOf(f.Type),
	}}
}

// Reference is the manual of all settings as plain text, for help.
func Reference() string {
	var b strings.Builder
	for _, s := range Settings() {
		b.WriteString(s.Variable)
		switch {
		case s.Required:
			b.WriteString("  (needed for " + s.Forge + ")")
		case s.Default != "":
			fmt.Fprintf(&b, "  (default %s)", s.Default)
		}
		b.WriteByte('\n')
		for _, line := range wrap(s.text(), 76) {
			b.WriteString("    " + line + "\n")
		}
	}
	return b.String()
}

// Markdown is the same as a table, for the README.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| Variable | Default | What it does |\n|---|---|---|\n")
	for _, s := range Settings() {
		standard := ""
		switch {
		case s.Required:
			standard = "needed for " + s.Forge
		case s.Default != "":
			standard = "`" + s.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Variable, standard, strings.ReplaceAll(s.text(), "|", `\|`))
	}
	return b.String()
}

// text is the description with what is true of every secret.
func (s Setting) text() string {
	if s.Secret {
		return s.Doc + " Or " + s.Variable + fileSuffix + ", the path of a file that holds it."
	}
	return s.Doc
}

// wrap breaks text at spaces into lines of at most width bytes where it can.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
