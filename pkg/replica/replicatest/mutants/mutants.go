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
	// Restless says that the mutant is caught by never coming to rest.
	Restless bool
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
	{Name: "no version condition on a copy", Edits: []Edit{
		{"dynamostore/shape.go", `	b.WriteString(` + "`" + ` AND ("` + "`" + ` + s.version + ` + "`" + `" IS MISSING OR "` + "`" + ` + s.version + ` + "`" + `"<?)` + "`" + `)`,
			`	b.WriteString(` + "`" + ` AND ("` + "`" + ` + s.version + ` + "`" + `" IS MISSING OR "` + "`" + ` + s.version + ` + "`" + `"<>?)` + "`" + `)`},
		{"dynamostore/expression.go", `+version+" < "+`, `+version+" <> "+`},
	}},
	{Name: "<= for < in the version condition", Edits: []Edit{
		{"dynamostore/shape.go", `+ s.version + ` + "`" + `"<?)` + "`", `+ s.version + ` + "`" + `"<=?)` + "`"},
		{"dynamostore/expression.go", `+version+" < "+`, `+version+" <= "+`},
	}},
	{Name: "a delete forgets the version of the copy", Edits: []Edit{
		{"itemreplica.go", `	im.set[t.mapping.names.Version] = a.version.Value()
`, `	im.set[t.mapping.names.Version] = a.version.Value()
	if a.shared == nil {
		im.set[t.mapping.names.Version] = contracts.Version(1).Value()
	}
`},
	}},
	{Name: "acknowledged before applied", Edits: []Edit{
		{"run.go", `	err := c.Handle(msg)
`, `	msg.Ack()
	err := c.Handle(msg)
`},
	}},
	{Name: "partial events", Edits: []Edit{
		{"coalesce.go", `	return NewMessage(ctx, m.merged(), AudienceAll)
`, `	for name := range m.change.Attributes {
		if !m.changed[name] && len(m.change.Attributes) > 1 {
			delete(m.change.Attributes, name)
		}
	}
	return NewMessage(ctx, m.merged(), AudienceAll)
`},
	}},
	{Name: "checkpoint before publish", Edits: []Edit{
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
	{Name: "stamp that answers a stamp", Edits: []Edit{
		{"decide.go", `	case after.stamped == n:
		publish.Changed = s.contract.Names()
		return publish
`, `	case after.stamped == n:
		return stamp
`},
	}, Restless: true},
	{Name: "coalescing at the relay keeps the older", Edits: []Edit{
		{"coalesce.go", `change.Version > m.change.Version`, `change.Version < m.change.Version`},
	}},
	{Name: "coalescing at the subscriber keeps the older", Edits: []Edit{
		{"batchlane.go", `c.write.Version > l.made.write.Version`, `c.write.Version < l.made.write.Version`},
		{"batchlane.go", `c.result = WriteResult{Found: left}`, `c.result = WriteResult{Written: true, Found: left}`},
	}},
	{Name: "fan-out without a second pass", Edits: []Edit{
		{"apply.go", `			result.Again = max(result.Again, f.secondPass)
`, ``},
	}},
	{Name: "PublishBatch's failed entries ignored", Edits: []Edit{
		{"snspub/send.go", `			refused[e.at] = retry.ErrUnanswered
`, ``},
	}},
	{Name: "a statement's error taken for a success", Edits: []Edit{
		{"dynamostore/each.go", `			st.trouble = answers[i].Error
`, ``},
		{"dynamostore/each.go", `		case answers[i].Error != nil && passing(string(answers[i].Error.Code)):`, `		case false && passing(string(answers[i].Error.Code)):`},
	}},
	{Name: "a lower version is not stamped", Edits: []Edit{
		{"decide.go", `	case n == 0, n < o, n == o && len(changed) > 0:
		return stamp
`, `	case n == 0, n == o && len(changed) > 0:
		return stamp
`},
	}},
	{Name: "a foreign delete is not stamped", Edits: []Edit{
		{"decide.go", `	case rec.New == nil:
		stamp.stamped = before.stamped
		return stamp
`, `	case rec.New == nil:
		return Decision{Subject: subject}
`},
	}},
	{Name: "stamp of an item without condition", Edits: []Edit{
		{"dynamostore/source.go", `		ConditionExpression: aws.String(condition),
`, `		ConditionExpression: aws.String("attribute_not_exists(" + e.name(firstName(key)) + ") OR " + condition + " OR NOT (" + condition + ")"),
`},
	}},
	{Name: "stamp of a removed item without condition", Edits: []Edit{
		{"dynamostore/source.go", `		ConditionExpression:      aws.String("attribute_not_exists(" + e.name(firstName(key)) + ")"),
`, `		ConditionExpression:      aws.String("attribute_not_exists(" + e.name(firstName(key)) + ") OR attribute_exists(" + e.name(firstName(key)) + ")"),
`},
	}},
	{Name: "a tombstone dropped where there is no copy", Edits: []Edit{
		{"itemreplica.go", `	return r.target.apply(ctx, key, a, nil)
`, `	if found, err := r.store.Read(ctx, r.table, key); a.shared == nil && err == nil && found[r.mapping.names.Version].IsZero() {
		return Skipped, nil, nil
	}
	return r.target.apply(ctx, key, a, nil)
`},
	}},
	{Name: "rest of a batch dropped after a nack", Edits: []Edit{
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
	{Name: "heartbeat missing", Edits: []Edit{
		{"sqssub/visibility.go", `			s.extend(time.Now())
`, `			_ = s.extend
`},
	}},
	{Name: "a replica's tombstone lives for a day only", Edits: []Edit{
		{"source.go", `ReplicaTombstoneLife = 60 * 24 * time.Hour`, `ReplicaTombstoneLife = 24 * time.Hour`},
	}},
	{Name: "one message after the other, each until it succeeds", Edits: []Edit{
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
	{Name: "a backfill notes its place before it publishes", Edits: []Edit{
		{"backfill/segment.go", `		if err := p.publish(ctx); err != nil {
`, `		early := dynamostore.Place{Position: next, Done: next == nil, Counts: sum.named()}
		if err := persist(ctx, func() error { return r.Runs.Save(ctx, r.kept, number, early) }); err != nil {
			return err
		}
		if err := p.publish(ctx); err != nil {
`},
	}},
}
