package demo

import (
	"fmt"
	"strings"
	"time"
)

// ready lacks nothing.
func (w *world) ready(cr, anomaly int) {
	n := w.open("jonas", "ramp-limit", "Limit every step of the ramp",
		fmt.Sprintf("Applies the hard limit to each step and not only to the target.\n\nCR: #%d\nVerifies: #%d\n", cr, anomaly),
		map[string]string{
			"fw/dosing/ramp.c": w.edit("fw/dosing/ramp.c", "\treturn now - target < step ? target : now - step;\n}",
				"\treturn now - target < step ? target : now - step;\n}\n\n/* The same step, never above the limit (HZ-3, SRS-14). */\n"+
					"rate_ul_h ramp_limited(rate_ul_h now, rate_ul_h target, uint32_t elapsed_ms, const struct drug_limit *limit)\n{\n"+
					"\treturn rate_limit(ramp_step(now, rate_limit(target, limit), elapsed_ms), limit);\n}"),
			"fw/dosing/rate.h": w.edit("fw/dosing/rate.h", "\n#endif",
				"rate_ul_h ramp_limited(rate_ul_h now, rate_ul_h target, uint32_t elapsed_ms, const struct drug_limit *limit);\n\n#endif"),
			"tests/ramp_test.c": fmt.Sprintf("#include <assert.h>\n#include \"../fw/dosing/rate.h\"\n\n/* Verifies: #%d */\nint main(void)\n{\n"+
				"\tstruct drug_limit heparin = {.soft = 20000, .hard = 25000};\n\tassert(ramp_limited(24000, 90000, 1000, &heparin) <= 25000);\n\treturn 0;\n}\n", anomaly),
		})
	w.report(n, "success", "build", "test", "verify-hil")
	w.approve(n, "sam", "/primum sign reviewed-code\n\nRead every line; the order of limit and step is right.")
	w.approve(n, "priya", "/primum sign verified\n\nT-14 repeated on two pumps.")
	w.tries[n] = try{"jonas", "Press `Merge`; or press `Push a commit` first and see the approvals fall away."}
}

// missingRequest names no change request.
func (w *world) missingRequest() {
	n := w.open("sam", "gateway-rtt", "Log the gateway's round trip time", "So that we see slow networks before the ward does.\n", map[string]string{
		"gateway/readings.go": w.edit("gateway/readings.go", "import \"net/http\"", "import (\n\t\"log/slog\"\n\t\"net/http\"\n\t\"time\"\n)") +
			"\nfunc timed(begin time.Time) { slog.Info(\"answered\", \"took\", time.Since(begin)) }\n",
	})
	w.report(n, "success", "build", "test")
	w.approve(n, "jonas", "Fine.")
	w.tries[n] = try{"sam", "Link a change request: comment `/primum link #4`, or choose #4 under Change it and press `Link`."}
}

// stale was approved before its last push.
func (w *world) stale(cr int) {
	n := w.open("jonas", "link-retry", "Try a frame three times before giving the link up", fmt.Sprintf("CR: #%d\n", cr), map[string]string{
		"fw/comms/link.c": w.edit("fw/comms/link.c", "#define LINK_TRIES 1", "#define LINK_TRIES 3"),
	})
	w.report(n, "success", "build", "test")
	w.approve(n, "sam", "/primum sign reviewed-code")
	_, err := w.forge.As("jonas").Push(repo, "link-retry", signed("Wait 200 ms between two tries", map[string]string{
		"fw/comms/link.c": strings.Replace(w.edit("fw/comms/link.c", "#define LINK_TRIES 1", "#define LINK_TRIES 3\n#define LINK_WAIT_MS 200"), "static int tries;", "static int tries;\nstatic int waited_ms;", 1),
	}))
	w.check(err)
	w.later(5 * time.Minute)
	w.report(n, "success", "build", "test")
	w.tries[n] = try{"sam", "Press `Approve`: only what is there now counts."}
}

// selfApproved is approved by somebody who pushed to it.
func (w *world) selfApproved(cr int) {
	n := w.open("sam", "larger-digits", "Show the rate with digits of 11 mm", fmt.Sprintf("CR: #%d\n", cr), map[string]string{
		"ui/screen.py": w.edit("ui/screen.py", "DIGIT_HEIGHT_MM = 7", "DIGIT_HEIGHT_MM = 11"),
	})
	_, err := w.forge.As("jonas").Push(repo, "larger-digits", signed("Keep one decimal at this size", map[string]string{
		"ui/screen.py": strings.Replace(w.edit("ui/screen.py", "DIGIT_HEIGHT_MM = 7", "DIGIT_HEIGHT_MM = 11"), "as it is shown, in millilitres per hour", "as it is shown: millilitres per hour, one decimal", 1),
	}))
	w.check(err)
	w.later(8 * time.Minute)
	w.report(n, "success", "build")
	w.approve(n, "jonas", "Looks good on the ward's screen.")
	w.tries[n] = try{"jonas", "Your approval does not count: you pushed a commit here. Comment `/primum waive review-author-not-approver until " + w.now().Add(14*24*time.Hour).Format("2006-01-02") + " because we are two developers`, then be chen and comment `/primum approve W1`."}
}

// unanswered has a change request without answers to the risk questions.
func (w *world) unanswered(cr int) {
	n := w.open("sam", "tone-until-ack", "Keep the alarm tone until it is acknowledged", fmt.Sprintf("CR: #%d\n", cr), map[string]string{
		"fw/alarm/alarm.c": w.edit("fw/alarm/alarm.c", "void alarm_acknowledge(void) { silenced = true; }",
			"/* Only a person ends the tone: no timer does (SRS-31). */\nvoid alarm_acknowledge(void) { silenced = true; }"),
	})
	w.report(n, "success", "build", "test", "verify-hil")
	w.approve(n, "jonas", "/primum sign reviewed-code")
	w.approve(n, "priya", "/primum sign verified")
	w.tries[n] = try{"mara", "Answer the four risk questions: press `Fill in an example`, then `Answer`."}
}

// waiting waits for the rig.
func (w *world) waiting(cr int) {
	n := w.open("jonas", "air-stop", "Stop the motor in the tick that sees the air", fmt.Sprintf("CR: #%d\n", cr), map[string]string{
		"fw/dosing/air.c": w.edit("fw/dosing/air.c", "void air_seen(uint32_t ul) { air_ul += ul; }",
			"extern void motor_stop(void);\n\nvoid air_seen(uint32_t ul)\n{\n\tair_ul += ul;\n\tif (air_ul >= AIR_LIMIT_UL)\n\t\tmotor_stop();\n}"),
		"tests/air_test.c": "#include <assert.h>\n#include <stdbool.h>\n\nstatic bool stopped;\nvoid motor_stop(void) { stopped = true; }\n\nint main(void)\n{\n\textern void air_seen(unsigned);\n\tair_seen(60);\n\tassert(stopped);\n\treturn 0;\n}\n",
	})
	w.report(n, "success", "build", "test")
	w.report(n, "", "verify-hil")
	w.approve(n, "sam", "/primum sign reviewed-code")
	w.approve(n, "priya", "/primum sign verified")
	w.tries[n] = try{"jonas", "Let CI report `verify-hil` as green, or as red."}
}

// weaker lowers what the policy asks, and is judged by the policy it edits.
func (w *world) weaker() {
	n := w.open("alex", "fewer-reviewers", "One reviewer is enough", "We are a small team.\n", map[string]string{
		".primum.yml": strings.Replace(w.edit(".primum.yml", "  review-meaning: {A: off, B: off, C: block}",
			"  review-meaning: off\n  review-quorum: {C: {approvals: 1, roles: [developer]}}"),
			"{id: alarm, class: C,", "{id: alarm, class: B, rationale: docs/risk/comms-segregation.md,", 1),
	})
	w.report(n, "success", "build")
	w.approve(n, "sam", "")
	w.tries[n] = try{"chen", "Read in Primum's comment what the new policy would let through. The change is judged by the old one."}
}

// documents touches no device software.
func (w *world) documents() {
	n := w.open("priya", "cleaning-words", "Say which cloth to use", "The ward asked.\n", map[string]string{
		"docs/cleaning.md": w.edit("docs/cleaning.md", "a damp cloth", "a damp, lint-free cloth"),
	})
	w.tries[n] = try{"priya", "Press `Edit a file of it`, choose `fw/dosing/rate.c`, add a line and push: the class appears."}
}

// mixed touches class A and class C at once.
func (w *world) mixed(cr int) {
	n := w.open("sam", "same-limit", "Use one limit on the screen and in dosing", fmt.Sprintf("CR: #%d\n", cr), map[string]string{
		"ui/screen.py":     w.edit("ui/screen.py", "    if rate_ul_h > soft_limit_ul_h:", "    if rate_ul_h >= soft_limit_ul_h:"),
		"fw/dosing/rate.h": w.edit("fw/dosing/rate.h", "#define RATE_MAX_UL_H 1200000u", "#define RATE_MAX_UL_H 1199000u"),
		"tools/flash.py":   "\"\"\"Writes an image to a pump on the bench.\"\"\"\n",
	})
	w.report(n, "success", "build", "test")
	w.report(n, "failure", "verify-hil")
	w.tries[n] = try{"sam", "Ask why it is class C: comment `/primum class`, then `/primum explain review-quorum`, and unfold the answers in Primum's comment."}
}

// waiver asks for an exception.
func (w *world) waiver(cr, anomaly int) {
	n := w.open("sam", "door-debounce", "Debounce the door switch for 80 ms", fmt.Sprintf("The switch bounces for up to 60 ms, see #%d.\n\nCR: #%d\n", anomaly, cr), map[string]string{
		"fw/alarm/door.c": w.edit("fw/alarm/door.c", "#define DEBOUNCE_MS 20", "#define DEBOUNCE_MS 80"),
	})
	w.report(n, "success", "build", "test", "verify-hil")
	w.approve(n, "jonas", "/primum sign reviewed-code")
	w.approve(n, "priya", "/primum sign verified")
	until := w.now().Add(14 * 24 * time.Hour).Format("2006-01-02")
	_, err := w.forge.As("sam").Comment(repo, n, "/primum waive verify-fix-has-test until "+until+" because the door rig is being repaired, the test follows with it")
	w.check(err)
	w.tries[n] = try{"chen", "Approve the waiver: comment `/primum approve W1`."}
}
