import { type CSSProperties, useState } from "react";
import type { Box, Label } from "../api/types";
import "./picture.css";

/** A signed address ends after an hour. */
const VALID_MS = 55 * 60_000;

interface Props {
  src: string;
  alt: string;
  size: "small" | "large";
  labels?: Label[];
}

/** An image with the boxes of its labels; one that cannot be shown says so. */
export function Picture({ src, alt, size, labels = [] }: Props) {
  const [shown, setShown] = useState({ src, failed: false });
  const [ratio, setRatio] = useState(0);

  // Every look at a list signs the addresses anew. The image stays, until another is asked for
  // or its address has ended before it was loaded.
  const hasEnded = shown.failed && signedAt(src) - signedAt(shown.src) > VALID_MS;
  if (src !== shown.src && (hasEnded || objectOf(src) !== objectOf(shown.src))) {
    setShown({ src, failed: false });
  }

  if (shown.failed) {
    return (
      <div className={`picture ${size} missing`} role="img" aria-label={`${alt} cannot be shown`}>
        {size === "large" ? "This file cannot be shown as an image." : "?"}
      </div>
    );
  }
  return (
    <div className={`picture ${size}`}>
      <span className="frame">
        <img
          src={shown.src}
          alt={alt}
          loading={size === "small" ? "lazy" : "eager"}
          style={{ "--ratio": ratio || undefined } as CSSProperties}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
            setRatio(naturalWidth / naturalHeight)
          }
          onError={() => setShown({ ...shown, failed: true })}
        />
        {labels.map(
          ({ name, box }, number) =>
            box && (
              <span key={`${number} ${name}`} className="box" style={within(box)}>
                {size === "large" && <span className="box-name">{name}</span>}
              </span>
            ),
        )}
      </span>
    </div>
  );
}

/** What an address leads to, whatever its signature. */
function objectOf(address: string): string {
  const { origin, pathname, searchParams } = new URL(address, document.baseURI);
  return `${origin}${pathname} ${searchParams.get("versionId")}`;
}

/** The instant at which an address was signed ("20260131T235959Z"), in milliseconds. */
function signedAt(address: string): number {
  const signed = new URL(address, document.baseURI).searchParams.get("X-Amz-Date") ?? "";
  return Date.parse(signed.replace(/^(....)(..)(..T..)(..)/, "$1-$2-$3:$4:"));
}

function within(box: Box): CSSProperties {
  const percent = (ratio: number) => `${ratio * 100}%`;
  return {
    left: percent(box.left),
    top: percent(box.top),
    width: percent(box.width),
    height: percent(box.height),
  };
}
