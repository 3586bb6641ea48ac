package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Map calls f for each number below n in one of the processes, in whichever is free, and
// gives all of them all results, in the order of the numbers. In each process the numbers
// rise. An error ends it in that process, whose caller ends the others.
func Map(c Comm, n int, f func(i int) ([]byte, error)) ([][]byte, error) {
	var own []byte
	for {
		i, err := c.Take(n)
		if err != nil {
			return nil, err
		}
		if i >= n {
			break
		}
		b, err := f(i)
		if err != nil {
			return nil, err
		}
		own = binary.LittleEndian.AppendUint64(own, uint64(i))
		own = binary.LittleEndian.AppendUint64(own, uint64(len(b)))
		own = append(own, b...)
	}
	parts, err := All(c, own)
	if err != nil {
		return nil, err
	}
	list := make([][]byte, n)
	for _, p := range parts {
		if err := place(list, p); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// place puts the results of one process in their places.
func place(list [][]byte, b []byte) error {
	const head = 16
	for len(b) > 0 {
		if len(b) < head {
			return errors.New("cluster: the results of another process are cut short")
		}
		i, n := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		if i >= uint64(len(list)) || n > uint64(len(b)-head) {
			return fmt.Errorf("cluster: another process has result %d of %d bytes, want %d results of %d bytes at most", i, n, len(list), len(b)-head)
		}
		list[i], b = b[head:head+n], b[head+n:]
	}
	return nil
}

// All is what each process has, in their order, in all of them.
func All(c Comm, own []byte) ([][]byte, error) {
	lengths, err := Join(c, []int64{int64(len(own))}, c.Size())
	if err != nil {
		return nil, err
	}
	sizes, total := make([]int, len(lengths)), 0
	for i, n := range lengths {
		sizes[i] = int(n)
		total += sizes[i]
	}
	all := make([]byte, total)
	if err := c.Gather(own, all, sizes); err != nil {
		return nil, err
	}
	parts := make([][]byte, len(sizes))
	for i, n := range sizes {
		parts[i], all = all[:n:n], all[n:]
	}
	return parts, nil
}

// Bytes is what process 0 has, in all of them.
func Bytes(c Comm, b []byte) ([]byte, error) {
	n := []int64{int64(len(b))}
	if err := Lead(c, n); err != nil {
		return nil, err
	}
	if c.Rank() > 0 {
		b = make([]byte, n[0])
	}
	if c.Size() == 1 {
		return b, nil
	}
	return b, c.Broadcast(b)
}
