// Package mutants has deliberately broken variants of the library, each of
// which the simulator must catch: a check that cannot fail proves nothing. A
// mutant is an edit of the sources, made in an overlay of the compiler's; the
// sources themselves are never touched.
package mutants

// Mutant is one broken variant.
type Mutant struct {
	// Name says what is broken.
	Name string
	// Edits are made all together.
	Edits []Edit
}

// Edit replaces a text that a source file has exactly once.
type Edit struct {
	// File is relative to the module's folder, pkg/replica.
	File string
	Old  string
	New  string
}

// All are the mutants.
var All = []Mutant{
	{"no version condition on a copy", []Edit{
		{"dynamostore/shape.go", `	b.WriteString(` + "`" + ` AND ("` + "`" + ` + s.version + ` + "`" + `" IS MISSING OR "` + "`" + ` + s.version + ` + "`" + `"<?)` + "`" + `)`,
			`	b.WriteString(` + "`" + ` AND ("` + "`" + ` + s.version + ` + "`" + `" IS MISSING OR "` + "`" + ` + s.version + ` + "`" + `"<>?)` + "`" + `)`},
		{"dynamostore/expression.go", `+version+" < "+`, `+version+" <> "+`},
	}},
	{"<= for < in the version condition", []Edit{
		{"dynamostore/shape.go", `+ s.version + ` + "`" + `"<?)` + "`", `+ s.version + ` + "`" + `"<=?)` + "`"},
		{"dynamostore/expression.go", `+version+" < "+`, `+version+" <= "+`},
	}},
	{"a delete forgets the version of the copy", []Edit{
		{"itemreplica.go", `	im.set[t.mapping.names.Version] = a.version.Value()
`, `	im.set[t.mapping.names.Version] = a.version.Value()
	if a.shared == nil {
		im.set[t.mapping.names.Version] = contracts.Version(1).Value()
	}
`},
	}},
	{"acknowledged before applied", []Edit{
		{"run.go", `	err := c.Handle(msg)
`, `	msg.Ack()
	err := c.Handle(msg)
`},
	}},
	{"partial events", []Edit{
		{"coalesce.go", `	return NewMessage(ctx, m.merged(), AudienceAll)
`, `	for name := range m.change.Attributes {
		if !m.changed[name] && len(m.change.Attributes) > 1 {
			delete(m.change.Attributes, name)
		}
	}
	return NewMessage(ctx, m.merged(), AudienceAll)
`},
	}},
	{"checkpoint before publish", []Edit{
		{"dynamostream/reader.go", `		fresh, wait := r.read(ctx)
		r.handle(work, fresh)
`, `		fresh, wait := r.read(ctx)
		if len(fresh) > 0 {
			r.last = *fresh[len(fresh)-1].Dynamodb.SequenceNumber
			r.save(work, true)
		}
		r.handle(work, fresh)
`},
	}},
	{"stamp that answers a stamp", []Edit{
		{"decide.go", `	case after.stamped == n:
		publish.Changed = s.contract.Names()
		return publish
`, `	case after.stamped == n:
		return stamp
`},
	}},
	{"coalescing at the relay keeps the older", []Edit{
		{"coalesce.go", `change.Version > m.change.Version`, `change.Version < m.change.Version`},
	}},
	{"coalescing at the subscriber keeps the older", []Edit{
		{"batchlane.go", `c.write.Version > l.made.write.Version`, `c.write.Version < l.made.write.Version`},
		{"batchlane.go", `c.result = WriteResult{Found: left}`, `c.result = WriteResult{Written: true, Found: left}`},
	}},
	{"fan-out without a second pass", []Edit{
		{"apply.go", `			result.Again = max(result.Again, f.secondPass)
`, ``},
	}},
	{"PublishBatch's failed entries ignored", []Edit{
		{"snspub/send.go", `			refused[e.at] = retry.ErrUnanswered
`, ``},
	}},
	{"a statement's error taken for a success", []Edit{
		{"dynamostore/each.go", `			st.trouble = answers[i].Error
`, ``},
		{"dynamostore/each.go", `		case answers[i].Error != nil && passing(string(answers[i].Error.Code)):`, `		case false && passing(string(answers[i].Error.Code)):`},
	}},
	{"a lower version is not stamped", []Edit{
		{"decide.go", `	case n == 0, n < o, n == o && len(changed) > 0:
		return stamp
`, `	case n == 0, n == o && len(changed) > 0:
		return stamp
`},
	}},
	{"a foreign delete is not stamped", []Edit{
		{"decide.go", `	case rec.New == nil:
		stamp.stamped = before.stamped
		return stamp
`, `	case rec.New == nil:
		return Decision{Subject: subject}
`},
	}},
	{"stamp of an item without condition", []Edit{
		{"dynamostore/source.go", `		ConditionExpression: aws.String(condition),
`, `		ConditionExpression: aws.String("attribute_not_exists(" + e.name(firstName(key)) + ") OR " + condition + " OR NOT (" + condition + ")"),
`},
	}},
	{"stamp of a removed item without condition", []Edit{
		{"dynamostore/source.go", `		ConditionExpression:      aws.String("attribute_not_exists(" + e.name(firstName(key)) + ")"),
`, `		ConditionExpression:      aws.String("attribute_not_exists(" + e.name(firstName(key)) + ") OR attribute_exists(" + e.name(firstName(key)) + ")"),
`},
	}},
	{"a tombstone dropped where there is no copy", []Edit{
		{"itemreplica.go", `	return r.target.apply(ctx, key, a, nil)
`, `	if found, err := r.store.Read(ctx, r.table, key); a.shared == nil && err == nil && found[r.mapping.names.Version].IsZero() {
		return Skipped, nil, nil
	}
	return r.target.apply(ctx, key, a, nil)
`},
	}},
	{"rest of a batch dropped after a nack", []Edit{
		{"sqssub/flight.go", `	settling bool
`, `	settling bool
	mates    []*flight
	dropped  bool
`},
		{"sqssub/subscription.go", `		s.flights[f.delivery.MessageID] = f
`, `		s.flights[f.delivery.MessageID] = f
		f.mates = received
`},
		{"sqssub/settle.go", `	s.counts.nacked.Add(1)
`, `	s.counts.nacked.Add(1)
	s.mu.Lock()
	dropped := f.dropped
	for _, mate := range f.mates {
		mate.dropped = true
	}
	s.mu.Unlock()
	if dropped {
		s.finish(f)
		return
	}
`},
	}},
	{"heartbeat missing", []Edit{
		{"sqssub/visibility.go", `			s.extend(time.Now())
`, `			_ = s.extend
`},
	}},
	{"a replica's tombstone lives for a day only", []Edit{
		{"source.go", `ReplicaTombstoneLife = 60 * 24 * time.Hour`, `ReplicaTombstoneLife = 24 * time.Hour`},
	}},
	{"one message after the other, each until it succeeds", []Edit{
		{"run.go", `		select {
		case next <- msg: // a worker has nothing to do
		default:
			workers.Go(func() { c.work(msg, next) })
		}
`, `		c.settle(msg)
`},
		{"batchpause.go", `	busyAttempts = 8
`, `	busyAttempts = 800
`},
	}},
	{"a backfill notes its place before it publishes", []Edit{
		{"backfill/segment.go", `		if err := p.publish(ctx); err != nil {
`, `		early := dynamostore.Place{Position: next, Done: next == nil, Counts: sum.named()}
		if err := persist(ctx, func() error { return r.Runs.Save(ctx, r.kept, number, early) }); err != nil {
			return err
		}
		if err := p.publish(ctx); err != nil {
`},
	}},
}
