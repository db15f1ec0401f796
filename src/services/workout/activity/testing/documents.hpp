#pragma once

#include <string>
#include <string_view>

namespace ekiden::activity::testing {

/// A GPX file around `points`, which stand in one segment.
inline std::string gpx(std::string_view points, std::string_view head = "") {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\" creator=\"test\" "
         "xmlns=\"http://www.topografix.com/GPX/1/1\">" +
         std::string{head} + "<trk><name>Morning</name><type>running</type><trkseg>\n" + std::string{points} +
         "</trkseg></trk></gpx>\n";
}

/// One point with a position and, where `time` is not empty, a time.
inline std::string point(std::string_view latitude, std::string_view longitude, std::string_view time = "") {
  std::string text = "<trkpt lat=\"" + std::string{latitude} + "\" lon=\"" + std::string{longitude} + "\">";
  if (!time.empty()) text += "<time>" + std::string{time} + "</time>";
  return text + "</trkpt>\n";
}

/// A TCX file around `activities`.
inline std::string tcx(std::string_view activities) {
  return "<?xml version=\"1.0\"?><TrainingCenterDatabase "
         "xmlns=\"http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2\"><Activities>" +
         std::string{activities} + "</Activities></TrainingCenterDatabase>";
}

}  // namespace ekiden::activity::testing
