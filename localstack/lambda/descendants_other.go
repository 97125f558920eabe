//go:build !linux

package lambda

// endDescendants would need to know the environments of other processes.
func endDescendants(string) {}
