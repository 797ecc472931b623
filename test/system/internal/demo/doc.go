// Package demo plays company data through Tributary's two REST APIs and checks
// through them alone that the copies agree with their source.
//
// It promises that nothing starts before the input files are sound and the
// ports are free, that it reports agreement only where it compared every
// company of the files, and that it leaves no process behind. Companies that
// the files do not name are left alone and not compared.
package demo
