package sns

// lane keeps a FIFO group's deliveries to one subscription in order: one at a
// time, and while one waits for a retry the others wait behind it.
// Service.mu guards it.
type lane struct {
	sub     *subscription
	group   string
	queue   []*send
	busy    bool // somebody delivers the head
	waiting bool // the head waits for its next attempt
}

func (s *Service) laneOf(sub *subscription, group string) *lane {
	l := sub.lanes[group]
	if l == nil {
		l = &lane{sub: sub, group: group}
		sub.lanes[group] = l
	}
	return l
}

// enlane queues a send; the order of the calls is the order of delivery.
// Service.mu is held.
func (s *Service) enlane(one *send) {
	one.lane.queue = append(one.lane.queue, one)
	if one.lane.waiting {
		one.release()
	}
}

// release lets the publisher of a send go on. Service.mu is held.
func (one *send) release() {
	if !one.closed {
		one.closed = true
		close(one.first)
	}
}

// drive delivers a lane's queue, or waits until whoever does that has tried
// this send.
func (s *Service) drive(one *send) {
	s.mu.Lock()
	if one.lane.busy {
		s.mu.Unlock()
		select {
		case <-one.first:
		case <-s.ctx.Done():
		}
		return
	}
	if len(one.lane.queue) == 0 {
		s.mu.Unlock()
		return
	}
	one.lane.busy = true
	s.mu.Unlock()
	s.drain(one.lane)
}

// drain delivers the queue of a lane it has made busy. When the head has to
// wait, a goroutine that Close joins goes on after the pause.
func (s *Service) drain(l *lane) {
	for {
		s.mu.Lock()
		if len(l.queue) == 0 {
			l.busy = false
			if l.sub.lanes[l.group] == l {
				delete(l.sub.lanes, l.group)
			}
			s.mu.Unlock()
			return
		}
		head := l.queue[0]
		s.mu.Unlock()

		if pause, again := s.try(head); again {
			s.mu.Lock()
			l.waiting = true
			for _, one := range l.queue {
				one.release()
			}
			s.mu.Unlock()
			s.after(pause, func() {
				s.finish(head)
				s.mu.Lock()
				l.waiting = false
				l.pop(head)
				s.mu.Unlock()
				s.drain(l)
			})
			return
		}
		s.mu.Lock()
		l.pop(head)
		s.mu.Unlock()
	}
}

// pop removes the head, which is done.
func (l *lane) pop(head *send) {
	head.release()
	l.queue = l.queue[1:]
}
