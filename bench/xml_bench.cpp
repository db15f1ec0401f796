// Our GPX and TCX readers against pugixml (in situ, everything extracted), interleaved in one run on
// generated files: medians of MB/s of CPU time, their ratio, and for the large GPX the memory of each over
// that of the points. usage: xml_bench [rounds] [large file's MB]

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <pugixml.hpp>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "services/workout/activity/gpx/gpx.hpp"
#include "services/workout/activity/tcx/tcx.hpp"
#include "services/workout/activity/values.hpp"

namespace {

using ekiden::activity::ParseLimits;
using ekiden::activity::Samples;

double cpu_s() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// A run of which every second is a point, about 290 bytes each. Deterministic.
class Run {
 public:
  template <class... Values>
  static void print(std::string& out, const char* format, Values... values) {
    char buffer[1024];
    const int size = std::snprintf(buffer, sizeof buffer, format, values...);
    out.append(buffer, static_cast<std::size_t>(size));
  }
  void step() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    const double noise = static_cast<double>(state_ >> 40) / 16777216.0 - 0.5;
    heading_ += noise * 0.2;
    latitude += 2.9 * std::cos(heading_) / 111'320;
    longitude += 2.9 * std::sin(heading_) / 90'000;
    altitude += noise * 0.3;
    distance += 2.9;
    heart_rate = 150 + static_cast<int>(noise * 20);
    cadence = 84 + static_cast<int>(noise * 6);
    time = ekiden::activity::format_time(time_ms_);
    time_ms_ += 1000;
  }
  double latitude = 35.6812;
  double longitude = 139.7671;
  double altitude = 12;
  double distance = 0;
  int heart_rate = 0;
  int cadence = 0;
  std::string time;

 private:
  std::uint64_t state_ = 1;
  double heading_ = 0.6;
  std::int64_t time_ms_ = 1'777'617'000'000;
};

std::string make_gpx(std::size_t bytes) {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx creator=\"StravaGPX\" version=\"1.1\" "
      "xmlns=\"http://www.topografix.com/GPX/1/1\" "
      "xmlns:gpxtpx=\"http://www.garmin.com/xmlschemas/TrackPointExtension/v1\">\n <trk>\n  <name>Morning "
      "Run &amp; "
      "strides</name>\n  <type>running</type>\n  <trkseg>\n";
  for (Run run; out.size() < bytes;) {
    run.step();
    Run::print(out,
               "   <trkpt lat=\"%.7f\" lon=\"%.7f\">\n    <ele>%.1f</ele>\n    <time>%s</time>\n    "
               "<extensions>\n     "
               "<gpxtpx:TrackPointExtension>\n      <gpxtpx:hr>%d</gpxtpx:hr>\n      "
               "<gpxtpx:cad>%d</gpxtpx:cad>\n     "
               "</gpxtpx:TrackPointExtension>\n    </extensions>\n   </trkpt>\n",
               run.latitude, run.longitude, run.altitude, run.time.c_str(), run.heart_rate, run.cadence);
  }
  return out + "  </trkseg>\n </trk>\n</gpx>\n";
}

std::string make_tcx(std::size_t bytes) {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<TrainingCenterDatabase "
      "xmlns=\"http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2\" "
      "xmlns:ns3=\"http://www.garmin.com/xmlschemas/ActivityExtension/v2\">\n <Activities>\n  <Activity "
      "Sport=\"Running\">\n   <Id>2026-05-01T06:30:00.000Z</Id>\n   <Lap "
      "StartTime=\"2026-05-01T06:30:00.000Z\">\n    "
      "<TotalTimeSeconds>100</TotalTimeSeconds>\n    <Track>\n";
  for (Run run; out.size() < bytes;) {
    run.step();
    Run::print(
        out,
        "     <Trackpoint>\n      <Time>%s</Time>\n      <Position>\n       "
        "<LatitudeDegrees>%.7f</LatitudeDegrees>\n       <LongitudeDegrees>%.7f</LongitudeDegrees>\n      "
        "</Position>\n      <AltitudeMeters>%.1f</AltitudeMeters>\n      "
        "<DistanceMeters>%.2f</DistanceMeters>\n "
        "     <HeartRateBpm>\n       <Value>%d</Value>\n      </HeartRateBpm>\n      <Extensions>\n       "
        "<ns3:TPX>\n        <ns3:RunCadence>%d</ns3:RunCadence>\n       </ns3:TPX>\n      </Extensions>\n    "
        " "
        "</Trackpoint>\n",
        run.time.c_str(), run.latitude, run.longitude, run.altitude, run.distance, run.heart_rate,
        run.cadence);
  }
  return out + "    </Track>\n   </Lap>\n  </Activity>\n </Activities>\n</TrainingCenterDatabase>\n";
}

struct Point {
  double latitude = 0;
  double longitude = 0;
  double altitude = 0;
  double distance = 0;
  std::int64_t time_ms = 0;
  int heart_rate = 0;
  int cadence = 0;
};

double to_double(const char* text) {
  double value = 0;
  std::from_chars(text, text + std::strlen(text), value);
  return value;
}
int to_int(const char* text) {
  int value = 0;
  std::from_chars(text, text + std::strlen(text), value);
  return value;
}
std::int64_t to_time(ekiden::activity::TimeReader& reader, const char* text) {
  const auto time = reader.parse(text);
  return time ? time->unix_ms : 0;
}

const char* local(const char* name) {
  const char* const colon = std::strchr(name, ':');
  return colon == nullptr ? name : colon + 1;
}

std::size_t pugi_gpx(std::vector<char>& buffer, std::vector<Point>& points) {
  pugi::xml_document document;
  if (!document.load_buffer_inplace(buffer.data(), buffer.size(), pugi::parse_default, pugi::encoding_utf8))
    return 0;
  ekiden::activity::TimeReader times;
  for (const auto track : document.child("gpx").children("trk")) {
    for (const auto segment : track.children("trkseg")) {
      for (const auto node : segment.children("trkpt")) {
        Point point;
        for (const auto attribute : node.attributes()) {
          if (std::strcmp(attribute.name(), "lat") == 0) point.latitude = to_double(attribute.value());
          if (std::strcmp(attribute.name(), "lon") == 0) point.longitude = to_double(attribute.value());
        }
        for (const auto child : node.children()) {
          const char* const name = child.name();
          if (std::strcmp(name, "ele") == 0) {
            point.altitude = to_double(child.child_value());
          } else if (std::strcmp(name, "time") == 0) {
            point.time_ms = to_time(times, child.child_value());
          } else {
            for (const auto extension : child.children()) {
              for (const auto value : extension.children()) {
                if (std::strcmp(local(value.name()), "hr") == 0)
                  point.heart_rate = to_int(value.child_value());
                if (std::strcmp(local(value.name()), "cad") == 0) point.cadence = to_int(value.child_value());
              }
            }
          }
        }
        points.push_back(point);
      }
    }
  }
  return points.size();
}

void pugi_tcx_point(const pugi::xml_node node, ekiden::activity::TimeReader& times, Point& point) {
  for (const auto child : node.children()) {
    const char* const name = child.name();
    if (std::strcmp(name, "Time") == 0) {
      point.time_ms = to_time(times, child.child_value());
    } else if (std::strcmp(name, "Position") == 0) {
      point.latitude = to_double(child.child_value("LatitudeDegrees"));
      point.longitude = to_double(child.child_value("LongitudeDegrees"));
    } else if (std::strcmp(name, "AltitudeMeters") == 0) {
      point.altitude = to_double(child.child_value());
    } else if (std::strcmp(name, "DistanceMeters") == 0) {
      point.distance = to_double(child.child_value());
    } else if (std::strcmp(name, "HeartRateBpm") == 0) {
      point.heart_rate = to_int(child.child_value("Value"));
    } else if (std::strcmp(name, "Extensions") == 0) {
      for (const auto value : child.first_child().children()) {
        if (std::strcmp(local(value.name()), "RunCadence") == 0) point.cadence = to_int(value.child_value());
      }
    }
  }
}

std::size_t pugi_tcx(std::vector<char>& buffer, std::vector<Point>& points) {
  pugi::xml_document document;
  if (!document.load_buffer_inplace(buffer.data(), buffer.size(), pugi::parse_default, pugi::encoding_utf8))
    return 0;
  ekiden::activity::TimeReader times;
  for (const auto activity :
       document.child("TrainingCenterDatabase").child("Activities").children("Activity")) {
    for (const auto lap : activity.children("Lap")) {
      for (const auto track : lap.children("Track")) {
        for (const auto node : track.children("Trackpoint")) {
          Point point;
          pugi_tcx_point(node, times, point);
          points.push_back(point);
        }
      }
    }
  }
  return points.size();
}

/// MB/s of CPU time over at least a third of a second.
double rate(std::size_t bytes, const std::function<std::size_t()>& parse, std::size_t points) {
  const double start = cpu_s();
  double spent = 0;
  std::size_t runs = 0;
  do {
    if (parse() != points) std::printf("DIFFERENT NUMBER OF POINTS\n");
    ++runs;
    spent = cpu_s() - start;
  } while (spent < 0.33);
  return static_cast<double>(bytes * runs) / spent / 1e6;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

ParseLimits unlimited() {
  ParseLimits limits;
  limits.points_max = 1U << 30;
  return limits;
}

void compare(const char* name, const std::string& file, bool is_gpx, int rounds) {
  std::size_t points = 0;
  const auto ours = [&] {
    const auto parsed = is_gpx ? ekiden::activity::parse_gpx(file, unlimited())
                               : ekiden::activity::parse_tcx(file, unlimited());
    return parsed ? parsed->front().samples.size() : 0;
  };
  points = ours();
  std::vector<char> buffer;
  std::vector<Point> read;
  const auto theirs = [&] {
    buffer.assign(file.begin(), file.end());
    read.clear();
    return is_gpx ? pugi_gpx(buffer, read) : pugi_tcx(buffer, read);
  };
  std::vector<double> own_rates;
  std::vector<double> their_rates;
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    own_rates.push_back(rate(file.size(), ours, points));
    their_rates.push_back(rate(file.size(), theirs, points));
    ratios.push_back(own_rates.back() / their_rates.back());
  }
  std::printf(
      "%-12s ours %7.1f MB/s   pugixml in situ, full %7.1f MB/s   ratio %.2f (%.2f to %.2f)   %zu points\n",
      name, median(own_rates), median(their_rates), median(ratios), *std::ranges::min_element(ratios),
      *std::ranges::max_element(ratios), points);
  std::fflush(stdout);
}

std::size_t bytes_of(const Samples& samples) {
  return samples.size() *
         (sizeof(std::int64_t) + 3 * sizeof(double) * (samples.latitude_deg.empty() ? 0 : 1) +
          sizeof(float) *
              ((samples.heart_rate_bpm.empty() ? 0U : 1U) + (samples.cadence_rpm.empty() ? 0U : 1U)));
}

/// Peak resident bytes that `work` adds in a process of its own; `work` returns the size of the points'
/// arrays.
void measure_memory(const char* name, const std::function<std::size_t()>& work) {
  int ends[2];
  if (pipe(ends) != 0) return;
  const pid_t child = fork();
  if (child == 0) {
    // The kernel's counter of the peak starts anew, or it would show the parent's.
    std::ofstream{"/proc/self/clear_refs"} << 5;
    const auto peak = [] {
      std::ifstream status{"/proc/self/status"};
      for (std::string word; status >> word;) {
        if (word == "VmHWM:") {
          std::size_t kib = 0;
          status >> kib;
          return kib * 1024;
        }
      }
      return std::size_t{0};
    };
    const std::size_t before = peak();
    const std::size_t arrays = work();
    const std::size_t added = peak() - before;
    std::printf("%-12s peak memory added %.1f MB over arrays of %.1f MB: ratio %.2f\n", name,
                static_cast<double>(added) / 1e6, static_cast<double>(arrays) / 1e6,
                static_cast<double>(added) / static_cast<double>(arrays));
    std::fflush(stdout);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
}

void compare_memory(const std::string& path) {
  measure_memory("ours", [&] {
    FILE* const file = std::fopen(path.c_str(), "rb");
    const auto parsed = ekiden::activity::parse_gpx_file(fileno(file), unlimited());
    std::fclose(file);
    return parsed ? bytes_of(parsed->front().samples) : 1;
  });
  measure_memory("pugixml", [&] {
    std::ifstream file{path, std::ios::binary | std::ios::ate};
    std::vector<char> buffer(static_cast<std::size_t>(file.tellg()));
    file.seekg(0);
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    std::vector<Point> points;
    return pugi_gpx(buffer, points) * 40;
  });
}

}  // namespace

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 5;
  const std::size_t large = (count > 2 ? static_cast<std::size_t>(std::atoi(arguments[2])) : 100) * 1'000'000;
  compare("GPX 1 MB", make_gpx(1'000'000), true, rounds);
  compare("TCX 1 MB", make_tcx(1'000'000), false, rounds);
  const std::string path = "/tmp/ekiden-xml-bench-" + std::to_string(getpid()) + ".gpx";
  {
    const std::string gpx = make_gpx(large);
    compare("GPX large", gpx, true, rounds);
    std::ofstream{path, std::ios::binary} << gpx;
  }
  compare("TCX large", make_tcx(large), false, rounds);
  compare_memory(path);
  std::remove(path.c_str());
  return 0;
}
