// Package demo plays company data through Tributary's two REST APIs, checks what
// they answer against the files, and then has replicactl compare every copy with
// its source, also after damaging one.
//
// It promises that nothing starts before the input files are sound and the
// ports are free, that it reports agreement only where every company of the
// files was checked and replicactl found what was damaged, and nothing else, and
// mended it, and that it leaves no process behind. It damages copies only in a
// system that it started itself, and never at AWS. Companies that the files do
// not name are not checked.
package demo
