// Package main exists only so that the module has a package; the tests are in the _test files.
package main

func main() {}
