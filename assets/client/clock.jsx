// Date and time of the site, in its time zone and the reader's language.
import { useEffect, useMemo, useState } from "react";

export function Clock({ locale = "zh-CN", timeZone = "Asia/Shanghai", serverNow = 0, offset = 0, seconds = true, date = true }) {
  const [now, setNow] = useState(null);
  useEffect(() => {
    const base = serverNow ? serverNow - performance.now() : null;
    let timer = null;
    const tick = () => {
      const at = base === null ? Date.now() + offset : base + performance.now();
      setNow(at);
      timer = setTimeout(tick, 1000 - (at % 1000) + 5);
    };
    tick();
    return () => clearTimeout(timer);
  }, [serverNow, offset]);
  const [day, hour] = useMemo(() => {
    const make = (options) => {
      try {
        return new Intl.DateTimeFormat(locale, { timeZone, ...options });
      } catch {
        return new Intl.DateTimeFormat("zh-CN", options);
      }
    };
    return [
      make({ year: "numeric", month: "long", day: "numeric", weekday: "short" }),
      make({ hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined, hourCycle: "h23" }),
    ];
  }, [locale, timeZone, seconds]);
  if (now === null) return <time className="clock" />;
  const zh = locale.startsWith("zh");
  let dayText = day.format(now);
  if (zh) dayText = dayText.replace(/日\s*(周|星期)/, "日 $1");
  return (
    <time className="clock" dateTime={new Date(now).toISOString()}>
      {date ? <span className="muted">{dayText} </span> : null}
      <b>{hour.format(now)}</b>
    </time>
  );
}
