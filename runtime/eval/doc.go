// Package eval measures a model on a task: restoration quality against the
// ground truth, how closely it follows a reference (its ANN), firing rates,
// residual potentials and energy.
package eval
