package cluster

import (
	"encoding/json"
	"math"
	"time"
)

// decoded reads a claim as encoding/json does for kube-apiserver, which takes null for an empty value.
func decoded[T any](claim any) (value T, ok bool) {
	text, err := json.Marshal(claim)
	if err != nil {
		return value, false
	}
	return value, json.Unmarshal(text, &value) == nil
}

// textOrTexts reads a claim that may be one text or a list, such as aud and groups.
func textOrTexts(claim any) ([]string, bool) {
	if texts, ok := decoded[[]string](claim); ok {
		return texts, true
	}
	text, ok := decoded[string](claim)
	return []string{text}, ok
}

// dateOf reads a NumericDate (https://www.rfc-editor.org/rfc/rfc7519#section-2).
func dateOf(claim any) (time.Time, bool) {
	seconds, ok := decoded[float64](claim)
	if !ok || claim == nil || math.Abs(seconds) > 1e11 { // some 3,000 years
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), true
}
