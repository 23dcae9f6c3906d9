package wire

import "context"

type contextKey int

const (
	operationKey contextKey = iota
	harmlessKey
)

// Operation names what a call is for, for the meter.
func Operation(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, operationKey, name)
}

// Named is the name Operation gave, or "other".
func Named(ctx context.Context) string {
	if name, ok := ctx.Value(operationKey).(string); ok {
		return name
	}
	return "other"
}

// Harmless marks a call that may be repeated although it is a POST.
func Harmless(ctx context.Context) context.Context {
	return context.WithValue(ctx, harmlessKey, true)
}
