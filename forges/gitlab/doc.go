// Package gitlab speaks to GitLab, on gitlab.com and self-managed: it verifies and
// decodes webhooks, reads a change as facts, and writes verdicts, notes and
// reactions.
package gitlab
