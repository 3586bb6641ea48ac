package op

var temporalNames = [...]string{"nonlinear", "linear", "linear if others constant", "states time"}

// String is the class in words.
func (t Temporal) String() string { return temporalNames[t] }
