package wire

import "context"

type endpointKey struct{}

// WithEndpoint notes the address a client used to reach the engine, such as
// http://127.0.0.1:4566, for services whose answers contain URLs.
func WithEndpoint(ctx context.Context, baseURL string) context.Context {
	return context.WithValue(ctx, endpointKey{}, baseURL)
}

// Endpoint returns the address WithEndpoint noted, without a trailing slash,
// or the empty string.
func Endpoint(ctx context.Context) string {
	baseURL, _ := ctx.Value(endpointKey{}).(string)
	return baseURL
}
