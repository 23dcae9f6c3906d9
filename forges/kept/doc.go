// Package kept remembers what an adapter was told, so that it asks a forge less:
// Recent for what never changes for its key, People for what grows stale. It
// calls nothing and knows no forge.
package kept
