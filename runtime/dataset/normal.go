package dataset

import "math"

// Coefficients of the rational approximations of Wichura, "Algorithm AS 241: The
// Percentage Points of the Normal Distribution", Applied Statistics 37 (1988),
// highest power first. Relative error about 1e-16.
var (
	centreNum = [8]float64{
		2.5090809287301226727e+3, 3.3430575583588128105e+4,
		6.7265770927008700853e+4, 4.5921953931549871457e+4,
		1.3731693765509461125e+4, 1.9715909503065514427e+3,
		1.3314166789178437745e+2, 3.3871328727963666080e+0,
	}
	centreDen = [8]float64{
		5.2264952788528545610e+3, 2.8729085735721942674e+4,
		3.9307895800092710610e+4, 2.1213794301586595867e+4,
		5.3941960214247511077e+3, 6.8718700749205790830e+2,
		4.2313330701600911252e+1, 1,
	}
	middleNum = [8]float64{
		7.74545014278341407640e-4, 2.27238449892691845833e-2,
		2.41780725177450611770e-1, 1.27045825245236838258e+0,
		3.64784832476320460504e+0, 5.76949722146069140550e+0,
		4.63033784615654529590e+0, 1.42343711074968357734e+0,
	}
	middleDen = [8]float64{
		1.05075007164441684324e-9, 5.47593808499534494600e-4,
		1.51986665636164571966e-2, 1.48103976427480074590e-1,
		6.89767334985100004550e-1, 1.67638483018380384940e+0,
		2.05319162663775882187e+0, 1,
	}
	tailNum = [8]float64{
		2.01033439929228813265e-7, 2.71155556874348757815e-5,
		1.24266094738807843860e-3, 2.65321895265761230930e-2,
		2.96560571828504891230e-1, 1.78482653991729133580e+0,
		5.46378491116411436990e+0, 6.65790464350110377720e+0,
	}
	tailDen = [8]float64{
		2.04426310338993978564e-15, 1.42151175831644588870e-7,
		1.84631831751005468180e-5, 7.86869131145613259100e-4,
		1.48753612908506148525e-2, 1.36929880922735805310e-1,
		5.99832206555887937690e-1, 1,
	}
)

// quantile returns the standard normal quantile of k/2^53 for 0 < k <= 2^52,
// that is of the lower half of the distribution.
func quantile(k float64) float64 {
	p := float64(k * 0x1p-53)
	q := p - 0.5
	if q >= -0.425 {
		r := 0.180625 - float64(q*q)
		return q * ratio(&centreNum, &centreDen, r)
	}
	r := math.Sqrt(-logarithm(p))
	if r <= 5 {
		return -ratio(&middleNum, &middleDen, r-1.6)
	}
	return -ratio(&tailNum, &tailDen, r-5)
}

func ratio(num, den *[8]float64, x float64) float64 {
	return horner(num[:], x) / horner(den[:], x)
}

// horner evaluates a polynomial, highest power first, rounding each product.
func horner(coef []float64, x float64) float64 {
	v := coef[0]
	for _, c := range coef[1:] {
		v = float64(v*x) + c
	}
	return v
}

// logarithm is the natural logarithm of a positive normal number, within 2 ulp
// and with the same bits on every CPU. With x = 2^e f, f near 1, and
// s = (f-1)/(f+1), log f = 2 (s + s^3/3 + s^5/5 + ...).
func logarithm(x float64) float64 {
	f, e := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f *= 2
		e--
	}
	s := (f - 1) / (f + 1)
	square := s * s
	sum := 0.0
	for n := 23; n >= 3; n -= 2 {
		sum = float64((sum + 1/float64(n)) * square)
	}
	series := 2 * (s + float64(s*sum))
	return float64(float64(e)*math.Ln2) + series
}

// exponential is e^x for |x| < 700, within 2 ulp and with the same bits on every
// CPU: x = k ln 2 + r with |r| <= ln(2)/2, and the Taylor series of e^r.
func exponential(x float64) float64 {
	// ln 2 in two parts, so that k times the first is exact.
	const high, low = 0x1.62e42feep-1, 0x1.a39ef35793c76p-33
	k := math.Floor(float64(x/math.Ln2) + 0.5)
	r := x - float64(k*high)
	r -= float64(k * low)
	sum := 1.0
	for n := 14; n >= 1; n-- {
		sum = 1 + float64(sum*r)/float64(n)
	}
	return math.Ldexp(sum, int(k))
}
