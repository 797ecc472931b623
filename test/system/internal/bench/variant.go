package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Variant is one way of moving changes.
type Variant struct {
	Name  string
	About string
	// receives is what the stock subscriber asks for with one request.
	receives int
	// single writes every change with an UpdateItem of its own.
	single bool
	// slow variants get a part of the work, since one goes through at a time.
	slow    bool
	publish func(context.Context, *publishing) (messages int, err error)
	consume func(context.Context, *consuming) error
}

// The variants' names.
const (
	Stock           = "stock"
	Stock10         = "stock-10"
	Floor           = "floor"
	FloorSingle     = "floor-single"
	Tributary       = "tributary"
	TributarySingle = "tributary-single"
)

// Variants returns all variants.
func Variants() []Variant {
	return []Variant{
		{Name: Stock, About: "watermill-aws v1.0.1 at its defaults, an UpdateItem a message", receives: 1, slow: true, publish: publishStock, consume: consumeStock},
		{Name: Stock10, About: "the same, receiving 10 messages a request", receives: messagesPerRequest, slow: true, publish: publishStock, consume: consumeStock},
		{Name: Floor, About: "a bare SDK loop, everything in batches", publish: publishFloor, consume: consumeFloor},
		{Name: FloorSingle, About: "the same with an UpdateItem a message", single: true, publish: publishFloor, consume: consumeFloor},
		{Name: Tributary, About: "relay, snspub, sqssub, router, consumer, applier, batcher", publish: publishTributary, consume: consumeTributary},
		{Name: TributarySingle, About: "the same with batching off", single: true, publish: publishTributary, consume: consumeTributary},
	}
}

// variant returns the variant of a name.
func variant(name string) (Variant, error) {
	all := Variants()
	at := slices.IndexFunc(all, func(v Variant) bool { return v.Name == name })
	if at < 0 {
		names := make([]string, len(all))
		for i, v := range all {
			names[i] = v.Name
		}
		return Variant{}, fmt.Errorf("there is no variant %q: want one of %s", name, strings.Join(names, ", "))
	}
	return all[at], nil
}

// publishing is what a publisher gets.
type publishing struct {
	settings Settings
	endpoint string
	workload *Workload
	clock    Clock
	// paced hands each change over at the time its version says, and not
	// before; else all of them as fast as it goes.
	paced bool
	// begin is called when everything is ready.
	begin func() error
}

// consuming is what a consumer gets. Its meter notes what it settles.
type consuming struct {
	variant  Variant
	settings Settings
	endpoint string
	meter    *meter
}
