package graph

import "slices"

// A sequence is an ordered set. Members are taken out and put before others without a
// walk through all of them: such edits are kept beside the list, and worked into it when
// there are many. Reading changes nothing, so that readers may run at once.
type sequence[T comparable] struct {
	items  []T
	before map[T][]T  // members to stand before another, not in items yet
	gone   map[T]bool // members taken out, in items or before yet
	edits  int        // entries of before and gone
}

// shortSequence is the length up to which edits are made at once: a walk is cheaper
// than a table.
const shortSequence = 16

// all is the members in order, not to be changed by the caller.
func (s *sequence[T]) all() []T {
	if s.edits == 0 {
		return s.items
	}
	list := make([]T, 0, s.len())
	for _, x := range s.items {
		list = s.unfold(list, x)
	}
	return list
}

// unfold appends to list what stands before x, and x.
func (s *sequence[T]) unfold(list []T, x T) []T {
	for _, y := range s.before[x] {
		list = s.unfold(list, y)
	}
	if s.gone[x] {
		return list
	}
	return append(list, x)
}

// len counts the members.
func (s *sequence[T]) len() int { return len(s.items) + s.edits - 2*len(s.gone) }

// add appends members.
func (s *sequence[T]) add(xs ...T) {
	if len(s.gone) > 0 && slices.ContainsFunc(xs, func(x T) bool { return s.gone[x] }) {
		s.settle()
	}
	s.items = append(s.items, xs...)
}

// insert puts members before mark.
func (s *sequence[T]) insert(mark T, xs ...T) {
	if len(s.gone) > 0 && slices.ContainsFunc(xs, func(x T) bool { return s.gone[x] }) {
		s.settle()
	}
	if s.edits == 0 && len(s.items) <= shortSequence {
		s.items = slices.Insert(s.items, slices.Index(s.items, mark), xs...)
		return
	}
	if s.before == nil {
		s.before = map[T][]T{}
	}
	s.before[mark] = append(s.before[mark], xs...)
	s.edits += len(xs)
	s.settleMany()
}

// remove takes members out. It reports false where it sees that one is none, which it
// does in short lists.
func (s *sequence[T]) remove(xs ...T) bool {
	all := true
	for _, x := range xs {
		if s.edits == 0 && len(s.items) <= shortSequence {
			at := slices.Index(s.items, x)
			if at >= 0 {
				s.items = slices.Delete(s.items, at, at+1)
			}
			all = all && at >= 0
			continue
		}
		if s.gone == nil {
			s.gone = map[T]bool{}
		}
		if !s.gone[x] {
			s.gone[x] = true
			s.edits++
		}
	}
	s.settleMany()
	return all
}

// settleMany works the edits in when they are as many as half of the list.
func (s *sequence[T]) settleMany() {
	if 2*s.edits > len(s.items) {
		s.settle()
	}
}

func (s *sequence[T]) settle() { *s = sequence[T]{items: s.all()} }
