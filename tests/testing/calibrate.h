// What this machine gives at this moment: the one probe that every bench with a bar in seconds runs
// before and after. Where the two differ, something else had the machine meanwhile, and the run
// says nothing.
#pragma once

#include <string>

namespace baton {

struct Calibration {
  double hash_gb_per_s = 0;  // SHA-256 of 64 KiB in cache, by one thread
  double load_ns = 0;        // one dependent load in 64 MiB: a random page of memory each
  double read_gb_per_s = 0;  // sequential reads of 64 MiB, by one thread
  double gflops = 0;         // multiplications and additions of floats in registers, one thread
};

/// Two runs that differ by more in any of the four are void.
inline constexpr double kCalibrationDriftMax = 0.10;

/// Medians of several rounds; takes about a second.
Calibration Calibrate();

/// The largest relative difference between the two, in any of the four.
double DriftBetween(const Calibration& before, const Calibration& after);

/// The line that a void run prints below its figures; nothing where `drift` is within the bound.
void PrintIfVoid(double drift);

/// "hash 0.41 GB/s, load 96 ns, read 8.2 GB/s, 11.3 GFLOP/s".
std::string ToString(const Calibration& calibration);

}  // namespace baton
