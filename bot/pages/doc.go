// Package pages serves the two pages people read in a browser: the start page
// with products and open changes, and the page of one verdict, which the
// check's details link opens. Both are there as JSON too, the list also as CSV.
//
// Everything on them comes from the stored verdict (law 5): the pages judge
// nothing and ask no forge, except whether somebody who logged in may read a
// private repository. They work without JavaScript; a small script of our own
// only asks whether something newer is there.
//
// Pages of private repositories are not open to strangers. The details link
// carries a key for that one change, which moves into a cookie of that
// repository's path on the first visit; otherwise people log in with the shared
// access key or with their account on the forge. A stranger gets the same
// answer for what is private as for what is not there.
package pages
