"""The register: every initiative known, its neighbourhoods and areas, each area in one only."""
