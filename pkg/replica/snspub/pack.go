package snspub

// pack splits entries, in their order, into batches that one request can
// carry.
func pack(all []*entry, limitBytes int) [][]*entry {
	var batches [][]*entry
	start, bytes := 0, 0
	for i, e := range all {
		if i > start && (i-start == MaxBatchMessages || bytes+e.bytes > limitBytes) {
			batches = append(batches, all[start:i:i])
			start, bytes = i, 0
		}
		bytes += e.bytes
	}
	if start < len(all) {
		batches = append(batches, all[start:])
	}
	return batches
}

// waves splits the entries of a FIFO call into rounds: each round has at most
// one entry of a group, the earliest that is left. PublishBatch keeps the order
// of its entries but may accept a later one of a group after refusing an
// earlier one, so a group has one entry on its way at a time.
func waves(all []*entry) [][]*entry {
	var rounds [][]*entry
	seen := map[string]int{}
	for _, e := range all {
		n := seen[e.group]
		seen[e.group] = n + 1
		if n == len(rounds) {
			rounds = append(rounds, nil)
		}
		rounds[n] = append(rounds[n], e)
	}
	return rounds
}
