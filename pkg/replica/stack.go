package replica

// A new goroutine's stack begins at 2 KiB and is copied, frame by frame, each
// time it does not suffice. Watermill's router handles each message in a new
// goroutine, and where the copying happened deep inside the decoder, or inside
// the SDK, it took a tenth of the consumer's time. These functions need more
// room than what follows them, so that a stack grows once, while it is shallow.
// n is any number, and the result none: they keep the compiler from seeing that
// the room is not used.

// growStackToHandle makes room for a change to be decoded and applied.
//
//go:noinline
func growStackToHandle(n int) byte {
	var room [4 << 10]byte
	room[n%len(room)] = 1
	return room[0]
}

// growStackToRequest makes room for an SDK's request.
//
//go:noinline
func growStackToRequest(n int) byte {
	var room [14 << 10]byte
	room[n%len(room)] = 1
	return room[0]
}
