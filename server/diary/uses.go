package diary

import "aovuon/server/farm"

// InputTypes returns the types of inputs that an event of a kind uses: what its form offers first. Empty: any.
func InputTypes(kind string) []string {
	switch kind {
	case Feeding:
		return []string{farm.Feed, farm.Probiotic}
	case Treatment:
		return []string{farm.Drug, farm.Disinfectant, farm.OtherInput}
	case EnvProduct:
		return []string{farm.Lime, farm.Probiotic, farm.Disinfectant, farm.OtherInput}
	case PondPrep:
		return []string{farm.Lime, farm.Disinfectant, farm.OtherInput}
	case Spraying:
		return []string{farm.Pesticide, farm.OtherInput}
	case Fertilizing:
		return []string{farm.Fertilizer, farm.Lime, farm.Probiotic, farm.OtherInput}
	}
	return nil
}
